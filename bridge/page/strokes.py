"""What makes the strokes of renders and exports."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ghostnote.bridge.inference.drum_cache import CachedSpec
from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.render.workers import Spec


class StrokeMaker(Protocol):
    """Opens sources of strokes; it must be picklable."""

    def spec(self, rate: int) -> Spec:
        """Return what opens a source at a rate in Hz."""

    def credits(self) -> tuple[str, ...]:
        """Return who recorded what strokes are learned from; `GhostnoteError`."""


@dataclass(frozen=True)
class ModelStrokes:
    """Makes strokes with a model file, or the one in the package."""

    model: Path | None

    def spec(self, rate: int) -> Spec:
        """Return the model's source, whose drums are kept."""
        return CachedSpec(SourceSpec(self.model, rate))

    def credits(self) -> tuple[str, ...]:
        """Return the credits in the model's card."""
        from ghostnote.bridge.inference.model import Generator

        return Generator.open(self.model).card.credits

"""The source of the daemon's strokes, opened where it is needed: the process that plays loads no model library."""

from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.render.workers import Source


@dataclass(frozen=True)
class LiveSpec:
    """What a worker process needs to make strokes and to save_settings the drums that it invents."""

    model: Path | None
    """The model file; None for the one in the package."""
    rate: int
    """Sample rate of the strokes, in Hz."""

    def open(self) -> Source:
        """Open the model in this process."""
        from ghostnote.bridge.inference.drum_cache import CachedSpec
        from ghostnote.bridge.inference.stroke_source import SourceSpec

        return CachedSpec(SourceSpec(self.model, self.rate, goes_on=True)).open()

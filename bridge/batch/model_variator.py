"""The model as a batch uses it: opened in a worker process, it makes next strokes of whole hits."""

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from ghostnote.bridge.batch.full_band import Audio, Strokes
from ghostnote.bridge.drums import label_of
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.variation import Reference, Variation, Variator


@dataclass(frozen=True)
class ModelSpec:
    """Which model makes the strokes."""

    model: Path | None = None
    """The model file; None is the one in the package."""

    def open(self) -> "ModelVariator":
        """Open the model, once in a process; `ModelError` where that cannot be done."""
        return _opened(self.model)


class ModelVariator:
    """Makes next strokes of hits with a model."""

    def __init__(self, generator: Generator) -> None:
        """Use an open model."""
        self.rate = generator.card.rate
        """The rate of the hits that it takes and gives, in Hz."""
        self.name = f"{generator.card.name} {generator.checksum[:12]}"
        """The model's name and the beginning of its checksum."""
        self.renewed_seconds = generator.card.hit_frames / generator.card.rate
        """How much of a hit is made anew; the rest of a longer one is its own tail."""
        self.credits = generator.card.credits
        """Who recorded what the model was trained on."""
        self._variator = Variator(generator)

    def strokes(self, hit: Audio, drum_class: str, variation: Variation) -> Strokes:
        """Return what makes strokes of a hit (1 or 2, frames), struck at velocity 127."""
        reference = Reference(hit, label_of(drum_class))
        return partial(self._variator.next_strokes, reference, variation=variation)


@cache
def _opened(model: Path | None) -> ModelVariator:
    return ModelVariator(Generator.open(model))

"""Training of the shape network alone, on the corpus's shapes with small variations.

Strokes need strong augmentation, so that the model follows drums unlike those of the corpus. New drums should be as
diverse as real ones, not more: so their shapes vary less, and as shapes, not as audio.
"""

import math
from typing import Final

import torch
from torch import Tensor, nn

from ghostnote.models.data.augment import Augmentation
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES, FLOOR, GROUPS, group_exponents
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE, analyse, to_peak
from ghostnote.models.nets.cascade import Cascade, measure_shape
from ghostnote.models.train.batch import Batch, dropped_labels
from ghostnote.models.train.objective import normal_like, shape_loss, stratified_times
from ghostnote.models.train.trainer import TrainingTask

_SHARE: Final = 0.6
"""Share of the shapes that are varied."""
_TILT_DB: Final = 2.0
_WAVE_DB: Final = 1.5
_WAVES: Final = 1.5
"""Half turns of the equaliser's wave over the spectrum."""
_DECAY: Final = 2.0
"""Largest change of the decay, in 1/seconds."""
_SEMITONES: Final = 1.2
_NEPER_DB: Final = 20 / math.log(10)
_CHUNK: Final = 64


def varied(shape: Tensor, generator: torch.Generator) -> Tensor:
    """Return shapes (batch, SHAPE_ROWS, ENVELOPE_FRAMES) with small changes of spectrum, decay and pitch."""
    device, size = shape.device, (len(shape), 1, 1)

    def normal() -> Tensor:
        return torch.randn(size, generator=generator, device=device)

    def uniform() -> Tensor:
        return torch.rand(size, generator=generator, device=device)

    changed = (uniform() < _SHARE).to(shape.dtype)
    place = torch.linspace(-1, 1, GROUPS, device=device)[:, None]
    seconds = torch.linspace(0, HIT_FRAMES / RATE, ENVELOPE_FRAMES, device=device)
    wave = torch.cos(math.pi * (_WAVES * place + 2 * uniform()))
    gain_db = _TILT_DB * normal() * place + _WAVE_DB * normal() * wave
    gain = gain_db / _NEPER_DB - _DECAY * (2 * uniform() - 1) * seconds
    exponents = group_exponents(device)[:, None]
    floor = FLOOR ** (2 * exponents)
    power = ((2 * shape[:, :GROUPS]).exp() - floor).clamp_min(0) * (2 * exponents * changed * gain).exp()
    track = shape[:, GROUPS : GROUPS + 1] + changed * _SEMITONES / 12 * normal()
    return torch.cat([0.5 * (power + floor).log(), track, shape[:, GROUPS + 1 :]], dim=1)


class ShapeBatches:
    """Batches of a set's shapes, which are measured once."""

    def __init__(self, model: Cascade, hits: HitSet) -> None:
        """Measure the shapes of `hits`, to normalise them as `model` does."""
        self.model, self.labels = model, hits.labels
        self.shapes = measure_shapes(hits.audio)

    @torch.no_grad()
    def __call__(
        self, draw: tuple[Tensor, Tensor, Tensor], augmentation: Augmentation, generator: torch.Generator
    ) -> Batch:
        """Return the shapes of the drawn targets alone, varied if there is `augmentation` at all."""
        target = draw[0]
        shape = self.shapes[target]
        if augmentation.share:
            shape = varied(shape, generator)
        label = dropped_labels(self.labels[target], generator)
        empty = torch.zeros(len(target), 0, device=shape.device)
        difference = torch.zeros(len(target), device=shape.device)
        return Batch(
            empty,
            empty,
            empty,
            self.model.normalise_shape(shape),
            label,
            difference,
            empty,
            empty,
            torch.ones_like(difference),
        )


@torch.no_grad()
def measure_shapes(audio: Tensor) -> Tensor:
    """Return the shapes (hits, SHAPE_ROWS, ENVELOPE_FRAMES) of `audio` (hits, HIT_FRAMES) at full level."""
    return torch.cat([measure_shape(part, analyse(part)) for part in to_peak(audio).split(_CHUNK)])


class ShapeObjective(nn.Module):
    """The shape network's loss; the sound network's is 0."""

    def __init__(self, model: Cascade) -> None:
        """Train the shape network of `model`."""
        super().__init__()
        self.shape = model.shape

    def forward(self, batch: Batch, t: Tensor, noise: Tensor) -> Tensor:
        """Return the losses of sound and shape (2,) at times `t` (batch,)."""
        loss = shape_loss(self.shape, batch, t, noise)
        return torch.stack([torch.zeros_like(loss), loss])


def shape_noise_for(batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return stratified times (batch,) and the noise for the shape network."""
    return stratified_times(batch, generator), normal_like(batch.shape, generator)


SHAPES_ALONE: Final = TrainingTask(ShapeObjective, shape_noise_for, ShapeBatches)

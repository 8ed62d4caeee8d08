"""Batches of training: from a drawn pair of hits to its factors, and from these to targets and conditions."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ghostnote.models.data.augment import Augmentation, augment
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.dsp.decomposition import GROUPS, envelope, innovation, loss_weight, scale, to_bands
from ghostnote.models.dsp.mdct import analyse, to_peak
from ghostnote.models.dsp.noise_shaping import line_power
from ghostnote.models.nets.cascade import (
    ANY_CLASS,
    DIFFERENCE_LIMIT_DB,
    VELOCITY_UNIT_DB,
    Cascade,
    measure_shape,
    predictor_of,
)
from ghostnote.models.statistics.repeatability import repeatability_features

_LABEL_DROPOUT = 0.15
_RESIDUALS_ALONE = 0.5
"""Share of the examples without a reference that are residuals."""
_MASKED = 0.25
"""Share of the examples of which a part is given."""


@dataclass(frozen=True)
class Batch:
    """Targets of both networks with their conditions; all tensors lead with the batch."""

    innovation: Tensor
    """(batch, BANDS, MDCT_FRAMES), what the sound network learns to generate."""
    weight: Tensor
    """(batch, BANDS, MDCT_FRAMES), of the errors of the innovation."""
    conditioning: Tensor
    """(batch, conditioning rows, MDCT_FRAMES)."""
    shape: Tensor
    """(batch, SHAPE_ROWS, ENVELOPE_FRAMES), the normalised shape of the target."""
    label: Tensor
    """(batch,), some of them ANY_CLASS."""
    difference: Tensor
    """(batch,), level of the target above the reference, in the networks' unit."""
    spectral_gain: Tensor
    """(batch, BANDS, LINES), of the noise."""
    mask: Tensor
    """(batch, BANDS, MDCT_FRAMES), 1 where the innovation is given."""
    shape_weight: Tensor
    """(batch,), of the errors of the shape."""

    def rows(self, index: slice) -> "Batch":
        """Return some of the rows."""
        return Batch(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class AudioPairs:
    """Targets beside their references, augmented and at full level; all tensors lead with the batch."""

    audio: Tensor
    """(batch, HIT_FRAMES), of the targets."""
    target: Tensor
    """(batch, BANDS, MDCT_FRAMES), coefficients of the targets."""
    reference: Tensor
    """(batch, BANDS, MDCT_FRAMES), coefficients of the references."""
    has_hit: Tensor
    """(batch,), 1 where the reference counts."""
    label: Tensor
    """(batch,), indices of drum classes."""
    difference_db: Tensor
    """(batch,), level of the target above the reference; 0 where that does not count."""
    is_whole: Tensor
    """(batch,), 1 for hits with their partials, 0 for residuals."""


@dataclass(frozen=True)
class Factors:
    """The factors of a batch's targets; all tensors lead with the batch."""

    own_shape: Tensor
    """(batch, SHAPE_ROWS, ENVELOPE_FRAMES), the target's."""
    shape: Tensor
    """(batch, SHAPE_ROWS, ENVELOPE_FRAMES), with the envelope that follows from the reference where there is one."""
    followed: Tensor
    """(batch, BANDS, MDCT_FRAMES), the coefficients that the target follows."""
    coherence: Tensor
    """(batch, GROUPS, MDCT_FRAMES), of the target with these."""
    innovation: Tensor
    """(batch, BANDS, MDCT_FRAMES)."""
    spectral_gain: Tensor
    """(batch, BANDS, LINES)."""


@torch.no_grad()
def make_batch(
    model: Cascade,
    hits: HitSet,
    draw: tuple[Tensor, Tensor, Tensor],
    augmentation: Augmentation,
    generator: torch.Generator,
) -> Batch:
    """Return the factors of the drawn targets beside their references."""
    pairs = make_audio_pairs(hits, draw, augmentation, generator)
    factors = make_factors(model, pairs)
    mask = random_mask(factors.innovation, generator)
    return Batch(
        innovation=factors.innovation,
        weight=loss_weight(factors.shape[:, :GROUPS]) * (1 - mask),
        conditioning=model.conditioning(factors.followed, factors.shape, factors.coherence, pairs.has_hit),
        shape=model.normalise_shape(factors.own_shape),
        label=dropped_labels(pairs.label, generator),
        difference=pairs.difference_db / VELOCITY_UNIT_DB,
        spectral_gain=factors.spectral_gain,
        mask=mask,
        shape_weight=pairs.is_whole,
    )


def make_audio_pairs(
    hits: HitSet, draw: tuple[Tensor, Tensor, Tensor], augmentation: Augmentation, generator: torch.Generator
) -> AudioPairs:
    """Return the drawn targets and references of `hits`: each pair augmented alike, then each hit levelled.

    With a reference they are residuals; without, half of them, as the network invents whole hits too.
    """
    target, reference, paired = draw
    half = torch.rand(paired.shape, generator=generator, device=paired.device) < _RESIDUALS_ALONE
    is_residual = paired | half
    both = torch.stack([target, reference], dim=1)
    pair = torch.where(is_residual[:, None, None], hits.residual[both], hits.audio[both])
    audio = to_peak(augment(pair, augmentation, generator))
    difference_db = hits.peak_db[target] - hits.peak_db[reference]
    has_hit = paired.float()
    return AudioPairs(
        audio=audio[:, 0],
        target=analyse(audio[:, 0]),
        reference=analyse(audio[:, 1]),
        has_hit=has_hit,
        label=hits.labels[target],
        difference_db=difference_db.clamp(-DIFFERENCE_LIMIT_DB, DIFFERENCE_LIMIT_DB) * has_hit,
        is_whole=(~is_residual).float(),
    )


def make_factors(model: Cascade, pairs: AudioPairs) -> Factors:
    """Return the factors of the targets, by what `model` knows of strokes of one drum."""
    own_shape = measure_shape(pairs.audio, pairs.target)
    reference_envelope = envelope(pairs.reference)
    moved = reference_envelope + model.envelope_change(pairs.label, pairs.difference_db)
    log_envelope = torch.where(pairs.has_hit[:, None, None] > 0, moved, own_shape[:, :GROUPS])
    shape = torch.cat([log_envelope, own_shape[:, GROUPS:]], dim=1)
    power = line_power(pairs.reference / scale(reference_envelope))
    features = repeatability_features(power, reference_envelope, pairs.label)
    coherence = model.attenuate_coherence(model.predict_repeatability(features)[0], pairs.difference_db)
    followed, rho = predictor_of(pairs.reference, shape, coherence, pairs.has_hit)
    return Factors(
        own_shape=own_shape,
        shape=shape,
        followed=followed,
        coherence=rho,
        innovation=innovation(pairs.target, followed, scale(log_envelope), to_bands(rho)),
        spectral_gain=model.spectral_gain_of(power, pairs.has_hit),
    )


def random_mask(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return masks for samples shaped as `like` (batch, BANDS, MDCT_FRAMES), most of them 0.

    Of the others some give all but a span of time, some all but a span of bands, and some all within both.
    """
    batch, bands, frames = like.shape

    def uniform(*size: int) -> Tensor:
        return torch.rand(size, generator=generator, device=like.device)

    def span(length: int) -> Tensor:
        edges = uniform(batch, 2).sort(1).values * length
        place = torch.arange(length, device=like.device) + 0.5
        return (place > edges[:, :1]) & (place < edges[:, 1:])

    in_time, in_bands = span(frames)[:, None].expand_as(like), span(bands)[:, :, None].expand_as(like)
    kind = uniform(batch, 1, 1) * 3 / _MASKED
    known = torch.where(kind < 1, ~in_time, torch.where(kind < 2, ~in_bands, in_time & in_bands))
    return (known & (kind < 3)).to(like.dtype)


def dropped_labels(label: Tensor, generator: torch.Generator) -> Tensor:
    """Return class labels (batch,) with some taken away, so that one network knows each class and all."""
    dropped = torch.rand(label.shape, generator=generator, device=label.device) < _LABEL_DROPOUT
    return label.masked_fill(dropped, ANY_CLASS)

"""The cascade: one U-Net for the shape of new sounds, envelope and pitch, and one for the innovation inside it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.dsp.cell_matching import SPARSITY_LOG
from ghostnote.models.dsp.decomposition import (
    GROUPS,
    SEGMENTS,
    envelope,
    scale,
    table_to_envelope,
    table_to_frames,
    to_frames,
)
from ghostnote.models.dsp.mdct import BANDS
from ghostnote.models.dsp.noise_shaping import spectral_gain_of, with_contrast
from ghostnote.models.dsp.pitch_track import TONE_ROWS, clarify_tone, measure_tone, tone_of
from ghostnote.models.nets.unet import UNet, UNetSettings
from ghostnote.models.statistics.corpus_statistics import CorpusStatistics
from ghostnote.models.statistics.repeatability import (
    COMPONENTS,
    FEATURES,
    SHARED_LATENT,
    SPANS,
    TARGETS,
    predict,
    shift_logit,
)

_LEAST_STD = 1e-3
"""Below this a row of shapes counts as constant, as in a corpus of very few hits."""
ANY_CLASS = len(CLASS_NAMES)
"""The label that stands for any class, and the row of the tables over all classes."""
VELOCITY_UNIT_DB = 20.0
"""The unit of level differences in the networks."""
DIFFERENCE_LIMIT_DB = 30.0
"""Limit of the level differences that change the timbre."""
SHAPE_ROWS = GROUPS + TONE_ROWS
"""Rows of a shape: the log envelope's band groups and the tone."""
_CONDITIONING_ROWS = BANDS + 2 * GROUPS + 1
_FURTHEST_EXTENT = 1.6
_LARGEST_OFFSET = 4.0


@dataclass(frozen=True)
class CascadeSettings:
    """The shapes of both networks."""

    sound: UNetSettings = field(
        default_factory=lambda: UNetSettings(
            BANDS, _CONDITIONING_ROWS, (64, 96, 128, 192, 256), len(CLASS_NAMES), inpainting=True
        )
    )
    """The network for the innovation."""
    shape: UNetSettings = field(
        default_factory=lambda: UNetSettings(SHAPE_ROWS, 0, (64, 96, 128, 192), len(CLASS_NAMES))
    )
    """The network for envelope and pitch."""

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "CascadeSettings":
        """Read what `to_dict` wrote."""
        networks = {
            name: UNetSettings(**{**values, "channels": tuple(values["channels"])}) for name, values in data.items()
        }
        return CascadeSettings(**networks)


class Cascade(nn.Module):
    """Both networks with the statistics that they were trained with."""

    repeatability_weight: Tensor
    repeatability_bias: Tensor
    principal_components: Tensor
    extent: Tensor
    coherence_offset: Tensor
    sparsity: Tensor
    coherence_shift: Tensor
    spectral_contrast: Tensor
    coherence_decay_db: Tensor
    slopes: Tensor
    level_spread_db: Tensor
    attack_spread_db: Tensor
    shape_mean: Tensor
    shape_std: Tensor
    shape_low: Tensor
    shape_high: Tensor

    def __init__(self, settings: CascadeSettings) -> None:
        """Build the networks; the statistics are filled by `set_statistics` or a checkpoint."""
        super().__init__()
        self.settings = settings
        self.sound = UNet(settings.sound)
        self.shape = UNet(settings.shape)
        rows = len(CLASS_NAMES) + 1
        self.register_buffer("repeatability_weight", torch.zeros(FEATURES, TARGETS))
        self.register_buffer("repeatability_bias", torch.zeros(TARGETS))
        self.register_buffer("principal_components", torch.zeros(COMPONENTS, GROUPS, SEGMENTS))
        # Effects of the shared latent; of sparsity the first two rows are a constant and each cell's own.
        self.register_buffer("extent", torch.zeros(SHARED_LATENT, GROUPS))
        self.register_buffer("coherence_offset", torch.zeros(SHARED_LATENT, GROUPS, SEGMENTS))
        self.register_buffer("sparsity", torch.zeros(2 + SHARED_LATENT, GROUPS, SPANS))
        self.register_buffer("coherence_shift", torch.zeros(GROUPS, SEGMENTS))
        self.register_buffer("spectral_contrast", torch.zeros(GROUPS))
        self.register_buffer("coherence_decay_db", torch.tensor(40.0))
        self.register_buffer("slopes", torch.zeros(rows, GROUPS, SEGMENTS))
        self.register_buffer("level_spread_db", torch.zeros(rows))
        self.register_buffer("attack_spread_db", torch.zeros(rows))
        self.register_buffer("shape_mean", torch.zeros(SHAPE_ROWS, 1))
        self.register_buffer("shape_std", torch.ones(SHAPE_ROWS, 1))
        self.register_buffer("shape_low", torch.full((SHAPE_ROWS, 1), -10.0))
        self.register_buffer("shape_high", torch.full((SHAPE_ROWS, 1), 10.0))

    def set_statistics(self, corpus: CorpusStatistics, shapes: Tensor) -> None:
        """Take over measured statistics, and those of `shapes` (hits, SHAPE_ROWS, ENVELOPE_FRAMES)."""
        self.repeatability_weight.copy_(corpus.repeatability.weight)
        self.repeatability_bias.copy_(corpus.repeatability.bias)
        self.principal_components.copy_(corpus.repeatability.principal_components)
        self.coherence_decay_db.fill_(min(corpus.coherence_decay_db, 1e6))
        self.slopes.copy_(corpus.slopes)
        self.level_spread_db.copy_(corpus.level_spread_db)
        self.attack_spread_db.copy_(corpus.attack_spread_db)
        self.shape_mean.copy_(shapes.mean((0, 2))[:, None])
        self.shape_std.copy_(shapes.std((0, 2))[:, None].clamp_min(_LEAST_STD))
        self.shape_low.copy_(shapes.amin((0, 2))[:, None])
        self.shape_high.copy_(shapes.amax((0, 2))[:, None])

    def normalise_shape(self, shape: Tensor) -> Tensor:
        """Return a shape (batch, SHAPE_ROWS, ENVELOPE_FRAMES) as the networks see it, near unit variance."""
        return (shape - self.shape_mean) / self.shape_std

    def restore_shape(self, normalised: Tensor, label: Tensor) -> Tensor:
        """Return the new shapes of classes `label` (batch,): `normalise_shape` undone, within the corpus's range."""
        restored = normalised * self.shape_std + self.shape_mean
        return clarify_tone(torch.minimum(torch.maximum(restored, self.shape_low), self.shape_high), label)

    def predict_repeatability(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return coherence and spectral deviation of strokes at one velocity, from a drum's `features`.

        The coherence is (batch, GROUPS, SEGMENTS), the deviation (batch, GROUPS) in dB.
        """
        coherence, spectral_deviation_db = predict(self.repeatability_weight, self.repeatability_bias, features)
        return shift_logit(coherence, self.coherence_shift), spectral_deviation_db

    def spectral_gain_of(self, power: Tensor, present: Tensor) -> Tensor:
        """Return the gains (batch, BANDS, LINES) for the noise of strokes whose reference has this `line_power`."""
        return with_contrast(spectral_gain_of(power, present), self.spectral_contrast)

    def attenuate_coherence(self, coherence: Tensor, difference_db: Tensor) -> Tensor:
        """Return the `coherence` (batch, GROUPS, SEGMENTS) of strokes `difference_db` (batch,) apart."""
        factor = (-difference_db.abs() / self.coherence_decay_db).exp()
        return coherence * factor[:, None, None]

    def deviation_db_of(self, variation_latent: Tensor, spectral_deviation_db: Tensor) -> Tensor:
        """Return the deviation of a stroke's cells in dB, (batch, GROUPS, SEGMENTS)."""
        scores, shared_latent, _ = _split_latent(variation_latent)
        spectrum = (scores @ self.principal_components.flatten(1)).unflatten(1, (GROUPS, SEGMENTS))
        extent = (shared_latent @ self.extent).clamp(-_FURTHEST_EXTENT, _FURTHEST_EXTENT).exp()
        deviation: Tensor = (spectral_deviation_db * extent)[:, :, None] * spectrum
        return deviation

    def offset_coherence(self, coherence: Tensor, variation_latent: Tensor) -> Tensor:
        """Return the `coherence` (batch, GROUPS, SEGMENTS) of a stroke, offset by its shared latent."""
        shift = (_split_latent(variation_latent)[1] @ self.coherence_offset.flatten(1)).unflatten(1, (GROUPS, SEGMENTS))
        return shift_logit(coherence, shift.clamp(-_LARGEST_OFFSET, _LARGEST_OFFSET))

    def sparsity_of(self, reference: Tensor, variation_latent: Tensor, amount: Tensor) -> Tensor:
        """Return a stroke's log sparsity (batch, GROUPS, SPANS): its `reference`'s, changed by `amount` (batch,)."""
        _, shared_latent, own = _split_latent(variation_latent)
        shared = (shared_latent @ self.sparsity[2:].flatten(1)).unflatten(1, (GROUPS, SPANS))
        change = self.sparsity[0] + self.sparsity[1] * own.unflatten(1, (GROUPS, SPANS)) + shared
        moved: Tensor = (reference + amount[:, None, None] * change).clamp(*SPARSITY_LOG)
        return moved

    def envelope_change(self, label: Tensor, difference_db: Tensor) -> Tensor:
        """Return what `difference_db` (batch,) of level adds to the log envelope."""
        return table_to_envelope(self.slopes[label] * difference_db[:, None, None])

    def conditioning(self, r: Tensor, shape: Tensor, rho: Tensor, has_hit: Tensor) -> Tensor:
        """Return the conditioning of the sound network (batch, rows, frames), given what `predictor_of` returned."""
        log_envelope = shape[:, :GROUPS]
        normalised = to_frames(self.normalise_shape(shape)[:, :GROUPS])
        present = has_hit[:, None, None].expand(-1, 1, r.shape[-1])
        return torch.cat([r / scale(log_envelope), normalised, rho, present], dim=1)


def _split_latent(variation_latent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the scores (batch, COMPONENTS), the shared latent (batch, SHARED_LATENT), and each cell's own number."""
    scores, shared_latent, own = variation_latent.split([COMPONENTS, SHARED_LATENT, GROUPS * SPANS], dim=1)
    return scores, shared_latent, own


def measure_shape(x: Tensor, y: Tensor) -> Tensor:
    """Return the shape (batch, SHAPE_ROWS, ENVELOPE_FRAMES) of waveforms `x`, whose coefficients are `y`."""
    log_envelope = envelope(y)
    return torch.cat([log_envelope, measure_tone(x, y / scale(log_envelope))], dim=1)


def predictor_of(hit: Tensor, shape: Tensor, coherence: Tensor, has_hit: Tensor) -> tuple[Tensor, Tensor]:
    """Return what predicts a new hit, r (batch, BANDS, MDCT_FRAMES), and their coherence (batch, GROUPS, MDCT_FRAMES).

    Where `has_hit` (batch,) is 1, it is the reference `hit`, with its `coherence` (batch, GROUPS, SEGMENTS); elsewhere
    the tone of the `shape`, by its share and with its leakage into the bands above.
    """
    present = has_hit[:, None, None]
    tone, share = tone_of(shape[:, GROUPS:], scale(shape[:, :GROUPS]))
    r = present * hit + (1 - present) * F.pad(tone, (0, 0, 0, BANDS - tone.shape[1]))
    rho = present * table_to_frames(coherence) + (1 - present) * F.pad(share, (0, 0, 0, GROUPS - share.shape[1]))
    return r, rho

"""The reference encoder: what all strokes of a reference have in common, computed once and kept for the next."""

import math
from typing import Annotated, Final

import torch
from torch import Tensor, nn

from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.models.diffusion.values import Label, PerHit, ReferenceFeatures, TensorSpec, Waveform, tensor_specs
from ghostnote.models.dsp.cell_matching import cell_targets
from ghostnote.models.dsp.decomposition import envelope, scale
from ghostnote.models.dsp.mdct import PEAK, analyse, expand
from ghostnote.models.dsp.noise_shaping import line_power
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.statistics.repeatability import repeatability_features

_SIZES: Final = [tuple(map(int, spec.axes[1:])) for spec in tensor_specs(ReferenceFeatures).values()]
REFERENCE_FEATURES: Final = sum(math.prod(size) for size in _SIZES)
"""Numbers that `ReferenceEncoder` keeps of a reference."""


class ReferenceEncoder(nn.Module):
    """Computes the `ReferenceFeatures` of a hit, as one vector."""

    def __init__(self, model: Cascade) -> None:
        """Take the statistics from `model`."""
        super().__init__()
        self.model = model

    def forward(self, hit: Waveform, has_hit: PerHit, label: Label) -> Tensor:
        """Return the features of `hit` as (batch, REFERENCE_FEATURES)."""
        peak = torch.where(has_hit > 0, hit.abs().amax(1).clamp_min(PEAK_FLOOR), PEAK)[:, None]
        r = analyse(hit / peak * PEAK)
        log_envelope = envelope(r)
        power = line_power(r / scale(log_envelope))
        repeatability = self.model.predict_repeatability(repeatability_features(power, log_envelope, label))
        features = ReferenceFeatures(
            peak, r, log_envelope, self.model.spectral_gain_of(power, has_hit), *repeatability, *cell_targets(expand(r))
        )
        return torch.cat([feature.flatten(1) for feature in features], dim=1)


class SplitReferenceFeatures(nn.Module):
    """The features of `ReferenceEncoder` by name."""

    def forward(self, features: Annotated[Tensor, TensorSpec(("batch", REFERENCE_FEATURES))]) -> ReferenceFeatures:
        """Split the vector."""
        pieces = features.split([math.prod(size) for size in _SIZES], dim=1)
        return ReferenceFeatures(*(piece.unflatten(1, size) for piece, size in zip(pieces, _SIZES, strict=True)))

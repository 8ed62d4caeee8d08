"""What a reference says of its strokes, whatever chance and velocity do: computed once, and kept for the next."""

import math
from typing import Final

import torch
from torch import Tensor, nn

from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.models.dsp.cell_matching import marks_of
from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES, GROUPS, SEGMENTS, envelope, scale
from ghostnote.models.dsp.mdct import BANDS, MDCT_FRAMES, PEAK, analyse, expand
from ghostnote.models.dsp.noise_shaping import LINES, line_power
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.statistics.repeatability import SPANS, repeatability_features


class ReferenceEncoder(nn.Module):
    """All that a reference's strokes need to know of it and that neither chance nor velocity moves."""

    def __init__(self, model: Cascade) -> None:
        """Take tables from `model`."""
        super().__init__()
        self.model = model

    def forward(self, hit: Tensor, has_hit: Tensor, label: Tensor) -> Tensor:
        """Return what is heard in `hit` (batch, HIT_FRAMES) as (batch, REFERENCE_FEATURES); see `SplitReferenceFeatures`."""
        peak = torch.where(has_hit > 0, hit.abs().amax(1).clamp_min(PEAK_FLOOR), PEAK)[:, None]
        r = analyse(hit / peak * PEAK)
        own = envelope(r)
        q = r / scale(own)
        power = line_power(q)
        reference_coherence, spectral_deviation_db = self.model.predict_repeatability(
            repeatability_features(power, own, label)
        )
        spectral_gain = self.model.spectral_gain_of(power, has_hit)
        parts = (
            peak,
            r,
            own,
            spectral_gain,
            reference_coherence,
            spectral_deviation_db,
            *marks_of(expand(r)),
        )
        return torch.cat([part.flatten(1) for part in parts], dim=1)


_FEATURE_SIZES: Final = {
    "peak": (1,),
    "r": (BANDS, MDCT_FRAMES),
    "envelope": (GROUPS, ENVELOPE_FRAMES),
    "spectral_gain": (BANDS, LINES),
    "reference_coherence": (GROUPS, SEGMENTS),
    "spectral_deviation_db": (GROUPS,),
    "cells_db": (GROUPS, SEGMENTS),
    "sparsity": (GROUPS, SPANS),
}
REFERENCE_FEATURES: Final = sum(math.prod(size) for size in _FEATURE_SIZES.values())
"""Numbers that `ReferenceEncoder` keeps of a reference."""


class SplitReferenceFeatures(nn.Module):
    """The parts of what `ReferenceEncoder` keeps."""

    def forward(self, reference_features: Tensor) -> tuple[Tensor, ...]:
        """Return peak, coefficients, log envelope, colour, steadiness, straying in dB, and the cells' power and
        peakedness, from `reference_features` (batch, REFERENCE_FEATURES).
        """
        pieces = reference_features.split([math.prod(size) for size in _FEATURE_SIZES.values()], dim=1)
        return tuple(
            piece.unflatten(1, size) for piece, size in zip(pieces, _FEATURE_SIZES.values(), strict=True)
        )

"""What a reference says of its strokes, whatever chance and velocity do: computed once, and kept for the next."""

import math
from typing import Final

import torch
from torch import Tensor, nn

from ghostnote.models.dsp.cell_matching import marks_of
from ghostnote.models.dsp.decomposition import ENVELOPE_STEPS, GROUPS, SEGMENTS, envelope, scale
from ghostnote.models.dsp.mdct import BANDS, PEAK, STEPS, analyse, expand
from ghostnote.models.dsp.noise_shaping import LINES, line_power
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.statistics.repeatability import SPANS, traits_of

_SILENCE: Final = 1e-6


class Listen(nn.Module):
    """All that a reference's strokes need to know of it and that neither chance nor velocity moves."""

    def __init__(self, model: Cascade) -> None:
        """Take tables from `model`."""
        super().__init__()
        self.model = model

    def forward(self, hit: Tensor, has_hit: Tensor, label: Tensor) -> Tensor:
        """Return what is heard in `hit` (batch, FRAMES) as (batch, HEARD); see `HeardParts`."""
        peak = torch.where(has_hit > 0, hit.abs().amax(1).clamp_min(_SILENCE), PEAK)[:, None]
        r = analyse(hit / peak * PEAK)
        own = envelope(r)
        q = r / scale(own)
        power = line_power(q)
        steady, strayed_db = self.model.steadiness_of(traits_of(power, own, label))
        colour = self.model.colour_of(power, has_hit)
        parts = (peak, r, own, colour, steady, strayed_db, *marks_of(expand(r)))
        return torch.cat([part.flatten(1) for part in parts], dim=1)


_HEARD_SIZES: Final = {
    "peak": (1,),
    "r": (BANDS, STEPS),
    "envelope": (GROUPS, ENVELOPE_STEPS),
    "colour": (BANDS, LINES),
    "steady": (GROUPS, SEGMENTS),
    "strayed_db": (GROUPS,),
    "cells_db": (GROUPS, SEGMENTS),
    "peakedness": (GROUPS, SPANS),
}
HEARD: Final = sum(math.prod(size) for size in _HEARD_SIZES.values())
"""Numbers that `Listen` keeps of a reference."""


class HeardParts(nn.Module):
    """The parts of what `Listen` keeps."""

    def forward(self, heard: Tensor) -> tuple[Tensor, ...]:
        """Return peak, coefficients, log envelope, colour, steadiness, straying in dB, and the cells' power and
        peakedness, from `heard` (batch, HEARD).
        """
        pieces = heard.split([math.prod(size) for size in _HEARD_SIZES.values()], dim=1)
        return tuple(
            piece.unflatten(1, size) for piece, size in zip(pieces, _HEARD_SIZES.values(), strict=True)
        )

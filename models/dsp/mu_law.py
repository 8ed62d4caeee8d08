"""μ-law: 256 levels of a sample, fine near zero and coarse at the peaks (ITU-T G.711's curve)."""

import math
from typing import Final

import torch
from torch import Tensor

LEVELS: Final = 256
SILENCE: Final = LEVELS // 2
"""The level of zero, which comes back at −81 dB: there are as many levels below zero as above, and none at it."""
_MU: Final = LEVELS - 1


def encode(x: Tensor) -> Tensor:
    """Return samples within ±1 as levels 0..255, as integers; what lies outside is clipped."""
    curve = x.sign() * torch.log1p(_MU * x.abs()) / math.log(LEVELS)
    return ((curve + 1) / 2 * _MU + 0.5).floor().long().clamp(0, _MU)


def decode(levels: Tensor) -> Tensor:
    """Return levels 0..255 as samples within ±1."""
    curve = 2 * levels / _MU - 1
    return curve.sign() * torch.expm1(curve.abs() * math.log(LEVELS)) / _MU

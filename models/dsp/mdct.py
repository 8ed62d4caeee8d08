"""The MDCT: a hit as 64 bands by 512 frames, orthonormal, with its phase kept.

An MDCT (Princen, Johnson & Bradley 1987) with a sine window and a hop of 64 frames is an orthonormal,
critically sampled change of coordinates: white noise stays white, so diffusion here is diffusion on the
waveform, and there is no vocoder and no aliasing to undo. The coefficients are then companded by a power,
which is undone on the way out. Above 2 kHz it is a square root: an error e returns as e·|e|, far below
audibility. The lowest bands, where drums ring, stay linear: there a decaying tone is a smooth oscillation, which a
root would turn into a square wave with steps at every zero crossing.
"""

import math
from functools import cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.dsp.onset import PEAK_FLOOR
from ghostnote.bridge.dsp.shape import EXPONENTS

RATE: Final = 44_100
"""Frames a second."""
HIT_FRAMES: Final = 32_768
"""Frames of a hit (0.743 s)."""
BANDS: Final = 64
"""MDCT bands, 344.5 Hz each; also the hop in frames."""
MDCT_FRAMES: Final = HIT_FRAMES // BANDS
"""MDCT frames of a hit, 1.45 ms each. The transform's last, half-filled one is left out."""
PEAK: Final = 0.9
"""A hit is scaled to this peak before the transform."""

_TINY: Final = 1e-30


def to_peak(x: Tensor) -> Tensor:
    """Return hits (..., frames) scaled to the peak `PEAK`."""
    return x / x.abs().amax(-1, keepdim=True).clamp_min(PEAK_FLOOR) * PEAK


@cache
def exponents(device: torch.device) -> Tensor:
    """Return the companding exponent of each band, (BANDS,)."""
    starts = (0, *(end for end, _ in EXPONENTS[:-1]))
    spans = zip(starts, EXPONENTS, strict=True)
    return torch.cat([torch.full((end - start,), p) for start, (end, p) in spans]).to(device)


@cache
def _basis(device: torch.device) -> Tensor:
    """Return the analysis windows times cosines as a convolution kernel, (BANDS, 1, 2·BANDS)."""
    n = torch.arange(2 * BANDS, dtype=torch.float64)[:, None]
    k = torch.arange(BANDS, dtype=torch.float64)[None]
    window = torch.sin(math.pi / (2 * BANDS) * (n + 0.5))
    cosines = torch.cos(math.pi / BANDS * (n + 0.5 + BANDS / 2) * (k + 0.5))
    return (math.sqrt(2 / BANDS) * window * cosines).t()[:, None].float().contiguous().to(device)


def mdct(x: Tensor) -> Tensor:
    """Transform waveforms (batch, HIT_FRAMES) to coefficients (batch, BANDS, MDCT_FRAMES)."""
    return F.conv1d(F.pad(x, (BANDS, 0))[:, None], _basis(x.device), stride=BANDS)


def inverse_mdct(c: Tensor) -> Tensor:
    """Transform coefficients (batch, BANDS, MDCT_FRAMES) back to waveforms (batch, HIT_FRAMES).

    The last 64 samples, which overlap with the frame that was left out, fade.
    """
    return F.conv_transpose1d(c, _basis(c.device), stride=BANDS)[:, 0, BANDS:]


def compand(c: Tensor) -> Tensor:
    """Return sign(c)·|c|^p with the exponent p of each band."""
    parts = [x if p == 1 else x / _power(x.abs(), 1 - p).clamp_min(_TINY) for x, p in _bands_with_exponents(c)]
    return torch.cat(parts, dim=1)


@cache
def compand_scale(device: torch.device) -> Tensor:
    """Return the RMS of companded normal coefficients in each band, (BANDS,)."""
    p = exponents(device)
    power: Tensor = 2**p * torch.exp(torch.lgamma(p + 0.5)) / math.sqrt(math.pi)
    return power.sqrt()


def expand(y: Tensor) -> Tensor:
    """Return sign(y)·|y|^(1/p), the inverse of `compand`."""
    parts = [x if p == 1 else x * _power(x.abs(), 1 / p - 1) for x, p in _bands_with_exponents(y)]
    return torch.cat(parts, dim=1)


def _bands_with_exponents(x: Tensor) -> list[tuple[Tensor, float]]:
    starts = (0, *(end for end, _ in EXPONENTS[:-1]))
    return [(x[:, start:end], p) for start, (end, p) in zip(starts, EXPONENTS, strict=True)]


def _power(x: Tensor, p: float) -> Tensor:
    """Return x^p of non-negative `x`, by roots where possible, which are far faster than powers."""
    if p == 1:
        return x
    if p == 0.5:
        return x.sqrt()
    return x.sqrt().sqrt() if p == 0.25 else (x.clamp_min(_TINY).log() * p).exp()


def analyse(x: Tensor) -> Tensor:
    """Return the companded coefficients (batch, BANDS, MDCT_FRAMES) of waveforms (batch, HIT_FRAMES)."""
    return compand(mdct(x))


def synthesise(y: Tensor) -> Tensor:
    """Return the waveforms (batch, HIT_FRAMES) of companded coefficients (batch, BANDS, MDCT_FRAMES)."""
    return inverse_mdct(expand(y))

"""The pitch of a kick or tom: its strongest partial, how far that stands out, and how it glides."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ghostnote.models.dsp.mdct import RATE

_RANGE_HZ: Final = (40.0, 400.0)
_BODY_FRAMES: Final = (1323, 11_025)
_EARLY_FRAMES: Final = (441, 3528)
_LATE_FRAMES: Final = (5292, 13_230)
_BINS: Final = 65_536
_PARTIAL_HZ: Final = 12.0
_GLIDE_UP, _GLIDE_DOWN = 0.7, 4.0


@dataclass(frozen=True)
class Tone:
    """The pitch of each hit; every field is (hits,)."""

    partial_hz: Tensor
    """The strongest partial from 40 to 400 Hz, 30 to 250 ms into the hit."""
    prominence_db: Tensor
    """How far it stands above the median of the octaves around it."""
    glide_cents: Tensor
    """How much higher the pitch is at 10 to 80 ms than at 120 to 300 ms."""


def tone(x: Tensor) -> Tone:
    """Return the pitch of hits (hits, HIT_FRAMES)."""
    hz = torch.arange(_BINS // 2 + 1, device=x.device) * (RATE / _BINS)
    body = _spectrum_db(x, _BODY_FRAMES)
    low, high = _RANGE_HZ
    strongest = _peak(body, ((hz >= low) & (hz <= high)).expand_as(body))
    partial = hz[strongest]
    ratio = hz / partial[:, None]
    around = (ratio > 0.5) & (ratio < 2) & ((hz - partial[:, None]).abs() > _PARTIAL_HZ)
    surroundings = body.masked_fill(~around, float("nan")).nanmedian(1).values
    late = hz[_peak(_spectrum_db(x, _LATE_FRAMES), (ratio > 0.8) & (ratio < 1.25))]
    behind = hz / late[:, None]
    early = hz[_peak(_spectrum_db(x, _EARLY_FRAMES), (behind > _GLIDE_UP) & (behind < _GLIDE_DOWN))]
    prominence = body.gather(1, strongest[:, None])[:, 0] - surroundings
    return Tone(partial, prominence, 1200 * (early / late).log2())


def _spectrum_db(x: Tensor, span: tuple[int, int]) -> Tensor:
    part = x[:, span[0] : span[1]]
    window = torch.hann_window(part.shape[1], periodic=False, device=x.device)
    magnitude: Tensor = torch.fft.rfft(part * window, _BINS).abs()
    return 20 * (magnitude + 1e-9).log10()


def _peak(spectrum: Tensor, allowed: Tensor) -> Tensor:
    return spectrum.masked_fill(~allowed, -torch.inf).argmax(1)

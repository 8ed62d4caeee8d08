"""The strongest partial of a hit over time: how its level ripples, and how its pitch deviates.

The partial is moved to 0 Hz and lowpassed (heterodyned, Moorer 1973): what is left has its level and its phase. Both
are compared with a smooth course, a cubic, so that decay and glide do not count.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.dsp.band_lines import BODY_START
from ghostnote.models.dsp.mdct import RATE

HOP_FRAMES: Final = 128
_WINDOW: Final = 2048
_DECAYED_DB: Final = -40.0
_RISEN_DB: Final = -3.0
_ENDED: Final = 1e-4
_LEAST_HOPS: Final = 48
_ORDER: Final = 3


@dataclass(frozen=True)
class PartialTrack:
    """How one partial of each hit moves around its smooth course; every field is (hits,)."""

    ripple_db: Tensor
    """RMS deviation of its level."""
    pitch_deviation_cents: Tensor
    """RMS deviation of its pitch."""


def follow_partial(x: Tensor, hz: Tensor) -> PartialTrack:
    """Return how the partial at `hz` (hits,) of hits (hits, frames) moves, seen through 46 ms at a time.

    From when it has risen, past the attack, until it has decayed by 40 dB or the hit ends. NaN where `hz` is NaN, or
    less than 140 ms are left.
    """
    known = hz.nan_to_num(1000.0)
    level, pitch = _heterodyne(x, known)
    inside = _inside(x, level)
    enough = (inside.sum(1) >= _LEAST_HOPS) & hz.isfinite()
    ripple, pitch_deviation = (_rms_about_cubic(course, inside) for course in (level, pitch))
    return PartialTrack(*(torch.where(enough, found, torch.nan) for found in (ripple, pitch_deviation)))


def _heterodyne(x: Tensor, hz: Tensor) -> tuple[Tensor, Tensor]:
    """Return the level in dB and the pitch in cents over `hz` of one partial, each (hits, hops)."""
    turns = torch.arange(x.shape[1], device=x.device, dtype=torch.float64) / RATE * hz[:, None].double()
    carrier = torch.polar(torch.ones_like(turns), -2 * torch.pi * turns).to(torch.complex64)
    moved = torch.view_as_real(x * carrier).transpose(1, 2).reshape(-1, 1, x.shape[1])
    low = F.conv1d(moved, _lowpass(x.device), stride=HOP_FRAMES).reshape(len(x), 2, -1)
    course = torch.complex(low[:, 0], low[:, 1])
    turned = (course[:, 1:] * course[:, :-1].conj()).angle() * (RATE / HOP_FRAMES / (2 * torch.pi))
    cents = 1200 * (1 + turned / hz[:, None]).clamp_min(0.1).log2()
    return 20 * (course[:, 1:].abs() + 1e-9).log10(), cents


def _inside(x: Tensor, level: Tensor) -> Tensor:
    """Return at which hops the partial is looked at, (hits, hops)."""
    magnitude, hops = x.abs(), torch.arange(level.shape[1], device=x.device)
    frames = torch.arange(x.shape[1], device=x.device)
    sounding = magnitude > _ENDED * magnitude.amax(1, keepdim=True)
    end = (frames * sounding).amax(1)
    inside = (hops * HOP_FRAMES >= BODY_START) & ((hops + 1) * HOP_FRAMES + _WINDOW <= end[:, None])
    under = level - level.masked_fill(~inside, -torch.inf).amax(1, keepdim=True)
    risen = (inside & (under >= _RISEN_DB)).cumsum(1) > 0
    decayed = (risen & (under < _DECAYED_DB)).cumsum(1) > 0
    return inside & risen & ~decayed


def _rms_about_cubic(course: Tensor, inside: Tensor) -> Tensor:
    """Return the RMS deviation of each course (hits, hops) from its cubic of least squares, where it is looked at."""
    count = inside.sum(1).clamp_min(1)
    place = (inside.cumsum(1) / count[:, None] * 2 - 1).double()
    terms = torch.stack([place**power for power in range(_ORDER + 1)], 2) * inside[:, :, None]
    wanted = (course.double() * inside)[:, :, None]
    ridge = 1e-9 * torch.eye(_ORDER + 1, dtype=torch.float64, device=course.device)
    weights = torch.linalg.solve(terms.mT @ terms + ridge, terms.mT @ wanted)
    deviation: Tensor = ((terms @ weights - wanted).square().sum((1, 2)) / count).sqrt()
    return deviation.float()


@cache
def _lowpass(device: torch.device) -> Tensor:
    """Return a Blackman window of 46 ms with a sum of 2, so that a sine has the level of its amplitude."""
    window = torch.blackman_window(_WINDOW, device=device)
    return (2 * window / window.sum())[None, None]

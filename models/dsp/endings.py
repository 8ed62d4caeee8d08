"""How hits end: when, at what level, and how fast they decay there."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ghostnote.models.dsp.mdct import RATE

GATED_DB: Final = -45.0
"""A hit that still has this level where it ends is cut off by a gate, or by the end of its file."""

_BLOCK: Final = 441
_FLOOR_DB: Final = -80.0
_MOST_FADE, _MOST_FIT = 10, 25
_FADE_SHARE, _FIT_SHARE = 0.25, 0.4
_DECAY_DB: Final = -60.0


@dataclass(frozen=True)
class Ending:
    """The end of each hit; every field is (hits,), NaN where a hit is too short to tell, under 50 ms."""

    seconds: Tensor
    """When it ends: its last 10 ms within 80 dB of the loudest."""
    level_db: Tensor
    """Where its decay has come to by then, under its loudest 10 ms. A fade of the last 100 ms does not count."""
    decay_db_per_second: Tensor
    """How fast it decays before that fade."""
    t60_seconds: Tensor
    """When it has decayed by 60 dB, or would have if it went on so; infinite where it does not decay."""


def ending(x: Tensor) -> Ending:
    """Return how hits (hits, frames) end, from levels of 10 ms and their straight line of least squares."""
    blocks = x[:, : x.shape[1] // _BLOCK * _BLOCK].reshape(len(x), -1, _BLOCK)
    level = 10 * (blocks.square().mean(2) + 1e-14).log10()
    level = level - level.amax(1, keepdim=True)
    at = torch.arange(level.shape[1], device=x.device)
    sounds = (level > _FLOOR_DB) & (blocks.abs().amax(2) > 0)
    end = ((at + 1) * sounds).amax(1)
    fade = (end * _FADE_SHARE).clamp_max(_MOST_FADE)
    fit = (end * _FIT_SHARE).clamp_max(_MOST_FIT)
    inside = (at <= (end - fade)[:, None]) & (at >= (end - fade - fit)[:, None])
    count = inside.sum(1)
    middle, mean = (torch.where(inside, value, 0.0).sum(1) / count for value in (at.float().expand_as(level), level))
    from_middle = (at - middle[:, None]) * inside
    slope = (from_middle * level).sum(1) / from_middle.square().sum(1)
    decay = -slope * (RATE / _BLOCK)
    seconds = end * (_BLOCK / RATE)
    at_end = mean + slope * (end - middle)
    t60 = torch.where(decay > 0, (seconds + (at_end - _DECAY_DB) / decay).clamp_min(0), torch.inf)
    enough = count >= 3
    return Ending(*(torch.where(enough, value, torch.nan) for value in (seconds, at_end, decay, t60)))

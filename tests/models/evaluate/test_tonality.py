import math

import pytest
import torch
from torch import Tensor

from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.evaluate.tonality import tone

SECONDS = torch.arange(HIT_FRAMES) / RATE


def kick(hz: float, glide_cents: float = 0.0) -> Tensor:
    track = hz * 2 ** (glide_cents / 1200 * torch.exp(-SECONDS / 0.04))
    phase = 2 * math.pi * torch.cumsum(track, 0) / RATE
    return (torch.sin(phase) * torch.exp(-6 * SECONDS))[None]


def test_a_steady_tone_has_its_pitch_and_no_glide() -> None:
    found = tone(kick(60.0))
    assert float(found.partial_hz) == pytest.approx(60, abs=1)
    assert abs(float(found.glide_cents)) < 30
    assert float(found.prominence_db) > 25


def test_a_falling_tone_glides() -> None:
    found = tone(torch.cat([kick(55.0, 600.0), kick(55.0, 0.0)]))
    assert float(found.glide_cents[0]) > 100
    assert float(found.glide_cents[0]) > 3 * abs(float(found.glide_cents[1]))


def test_noise_stands_out_far_less_than_a_tone() -> None:
    noise = torch.randn(1, HIT_FRAMES, generator=torch.Generator().manual_seed(0)) * torch.exp(-6 * SECONDS)
    found = tone(torch.cat([noise, kick(80.0)]))
    assert float(found.prominence_db[0]) < float(found.prominence_db[1]) - 10

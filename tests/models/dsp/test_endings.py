import math

import pytest
import torch
from torch import Tensor

from ghostnote.models.dsp.endings import GATED_DB, ending
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE

SECONDS = torch.arange(HIT_FRAMES) / RATE
DECIBEL = math.log(10) / 20


def ring(decay_db_per_second: float) -> Tensor:
    return (torch.sin(2 * math.pi * 300 * SECONDS) * torch.exp(-DECIBEL * decay_db_per_second * SECONDS))[None]


@pytest.mark.parametrize("decay", [110.0, 300.0, 600.0])
def test_a_hit_that_decays_ends_where_it_has_decayed(decay: float) -> None:
    found = ending(ring(decay))
    assert float(found.seconds) == pytest.approx(min(80 / decay, HIT_FRAMES / RATE), abs=0.02)
    assert float(found.decay_db_per_second) == pytest.approx(decay, rel=0.02)
    assert float(found.t60_seconds) == pytest.approx(60 / decay, abs=0.01)
    assert float(found.level_db) < -75


@pytest.mark.parametrize("fade_seconds", [0.0, 0.03, 0.09])
def test_a_gate_cuts_a_hit_at_the_level_that_it_had_whatever_its_fade(fade_seconds: float) -> None:
    fade = ((0.5 - SECONDS) / max(fade_seconds, 1e-6)).clamp(0, 1)
    found = ending(ring(40.0) * fade)
    assert float(found.seconds) == pytest.approx(0.5, abs=0.02)
    assert float(found.level_db) == pytest.approx(-20, abs=1)
    assert float(found.level_db) > GATED_DB
    assert float(found.t60_seconds) == pytest.approx(1.5, abs=0.05)


def test_a_hit_that_does_not_decay_never_has() -> None:
    found = ending(ring(-6.0))
    assert float(found.t60_seconds) == math.inf
    assert float(found.level_db) == pytest.approx(0, abs=0.2)


def test_a_click_and_silence_have_no_end_to_speak_of() -> None:
    click = torch.zeros(2, HIT_FRAMES)
    click[0, 100] = 1.0
    assert ending(click).level_db.isnan().all()

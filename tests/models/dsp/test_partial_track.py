import math

import pytest
import torch
from torch import Tensor

from ghostnote.models.dsp.lines import main_partial
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.dsp.partial_track import PartialTrack, follow_partial

SECONDS = torch.arange(HIT_FRAMES) / RATE


def ring(hz: float | Tensor, level_db: float | Tensor = 0.0, decay: float = 3.0) -> Tensor:
    phase = 2 * math.pi * torch.cumsum(hz * torch.ones(HIT_FRAMES, dtype=torch.float64), 0) / RATE
    return (0.5 * 10 ** (torch.as_tensor(level_db) / 20) * torch.sin(phase).float() * torch.exp(-decay * SECONDS))[None]


def wave(rms: float, hz: float) -> Tensor:
    return rms * math.sqrt(2) * torch.sin(2 * math.pi * hz * SECONDS)


def followed(x: Tensor, hz: float) -> PartialTrack:
    return follow_partial(x, torch.full((len(x),), hz))


@pytest.mark.parametrize("hz", [50.0, 464.3, 4000.0])
@pytest.mark.parametrize("decay", [0.0, 3.0, 12.0])
def test_a_decaying_sine_has_no_deviation_of_level_or_pitch(hz: float, decay: float) -> None:
    found = follow_partial(ring(hz, decay=decay), main_partial(ring(hz, decay=decay)))
    assert float(found.ripple_db) < 0.1
    assert float(found.pitch_deviation_cents) < 3


@pytest.mark.parametrize("rms_db", [0.5, 2.0])
def test_ripple_is_the_rms_of_what_the_level_wobbles_by(rms_db: float) -> None:
    assert float(followed(ring(300.0, wave(rms_db, 5.0)), 300.0).ripple_db) == pytest.approx(rms_db, rel=0.1)


@pytest.mark.parametrize("rms_cents", [5.0, 20.0])
def test_pitch_deviation_is_the_rms_of_what_the_pitch_wobbles_by(rms_cents: float) -> None:
    found = followed(ring(300.0 * 2 ** (wave(rms_cents, 5.0) / 1200)), 300.0)
    assert float(found.pitch_deviation_cents) == pytest.approx(rms_cents, rel=0.1)
    assert float(found.ripple_db) < 0.2


def test_a_partial_that_decays_in_two_stages_or_glides_does_not_deviate_much() -> None:
    two_stages = 20 * torch.log10(torch.exp(-9 * SECONDS) + 0.1)
    assert float(followed(ring(300.0, two_stages), 300.0).ripple_db) < 0.5
    falling = ring(300.0 * 2 ** (30 * torch.exp(-SECONDS / 0.2) / 1200))
    assert float(followed(falling, 303.0).pitch_deviation_cents) < 1


def test_silence_after_the_hit_is_not_ripple() -> None:
    cut = ring(300.0) * (SECONDS < 0.4)
    assert float(followed(cut, 300.0).ripple_db) < 0.1


def test_what_is_too_short_or_has_no_partial_is_left_out() -> None:
    short = ring(300.0) * (SECONDS < 0.12)
    for found in (followed(short, 300.0), followed(ring(300.0), math.nan), followed(torch.zeros(1, HIT_FRAMES), 300.0)):
        assert math.isnan(float(found.ripple_db))
        assert math.isnan(float(found.pitch_deviation_cents))

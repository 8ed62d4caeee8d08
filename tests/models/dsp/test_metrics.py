import math

import pytest
import torch
from torch import Tensor

from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.dsp.metrics import (
    BALANCE,
    MEASURES,
    SPECTRAL,
    align,
    compare,
    correlation,
    describe,
    distances_to,
    log_mel,
)
from ghostnote.models.evaluate.baselines import BaselineSettings, dsp_baseline

SECONDS = torch.arange(HIT_FRAMES) / RATE


def noise_hit(seed: int, decay: float = 12.0) -> Tensor:
    noise = torch.randn(1, HIT_FRAMES, generator=torch.Generator().manual_seed(seed))
    return 0.2 * noise * torch.exp(-decay * SECONDS)


def tone_hit(hz: float, decay: float = 12.0) -> Tensor:
    return (0.5 * torch.sin(2 * math.pi * hz * SECONDS) * torch.exp(-decay * SECONDS))[None]


def moved(x: Tensor, frames: int) -> Tensor:
    return torch.nn.functional.pad(x, (frames, 0))[:, :HIT_FRAMES]


def test_a_hit_is_no_distance_from_itself_at_any_level_and_moved_by_a_millisecond() -> None:
    hit = noise_hit(0)
    measured = compare(hit, 0.25 * moved(hit, 40))
    assert float(measured["lmd"]) < 0.3
    assert float(measured["correlation"]) > 0.999
    assert float(measured["level_db"]) == pytest.approx(-12.04, abs=0.01)
    assert float(measured["onset_ms"]) == pytest.approx(1000 * 40 / RATE, abs=0.02)


def test_two_noises_under_one_envelope_are_some_decibels_apart_everywhere() -> None:
    measured = compare(noise_hit(1), noise_hit(2))
    for name in ("lmd", "lmd_high", "lmd_later"):
        assert 1.5 < float(measured[name]) < 4.5
    assert abs(float(measured["correlation"])) < 0.2
    for name in BALANCE:
        assert abs(float(measured[name])) < 1.5


def test_a_part_of_the_spectrum_that_changes_shows_in_its_own_measure() -> None:
    low, high = tone_hit(100.0), 0.3 * tone_hit(6000.0)
    measured = compare(low + high, low + 0.5 * high)
    assert float(measured["lmd_high"]) > 4
    assert float(measured["lmd_low"]) < 0.5
    assert float(measured["high_db"]) < -4
    assert float(measured["centroid_percent"]) < -30


def test_a_part_without_sound_has_no_distance() -> None:
    hit = tone_hit(5000.0) * torch.hann_window(HIT_FRAMES)
    assert torch.isnan(compare(hit, hit)["lmd_low"]).all()


def test_every_measure_comes_for_every_pair_of_a_batch() -> None:
    a, b = torch.cat([noise_hit(1), noise_hit(2)]), torch.cat([noise_hit(3), noise_hit(4)])
    measured = compare(a, b)
    assert set(measured) == set(MEASURES)
    alone = compare(a[1:], b[1:])
    for name, values in measured.items():
        assert values.shape == (2,)
        assert float(values[1]) == pytest.approx(float(alone[name][0]), rel=1e-4, abs=1e-4)


def test_alignment_finds_a_shift_either_way_and_moves_silence_in() -> None:
    hit = moved(noise_hit(5), 200)
    for frames in (-100, 0, 77):
        shifted = torch.roll(hit, frames, 1)
        found = align(hit, shifted)
        assert float(correlation(hit, found)) > 0.999
    assert float(align(hit, torch.roll(hit, -100, 1))[:, :100].abs().max()) == 0


def test_a_description_knows_a_tone() -> None:
    described = describe(tone_hit(1000.0, decay=23.026 / 0.2))
    assert float(described.centroid_hz) == pytest.approx(1000, rel=0.03)
    # An amplitude e^(-at) falls by 20 dB in ln(10)/a seconds.
    assert float(described.t20_seconds) == pytest.approx(0.02, rel=0.05)
    assert float(described.onset_ms) < 1


def test_what_does_not_decay_has_no_t20() -> None:
    assert torch.isnan(describe(torch.ones(1, HIT_FRAMES)).t20_seconds).all()


def test_silence_breaks_nothing() -> None:
    measured = compare(torch.zeros(1, HIT_FRAMES), noise_hit(1))
    assert all(measured[name].shape == (1,) for name in SPECTRAL)
    assert float(measured["correlation"]) == 0


def test_distances_to_a_gallery_are_those_of_the_pairs() -> None:
    hits = torch.cat([noise_hit(1), tone_hit(200.0), noise_hit(3)])
    distances = distances_to(log_mel(hits[:2]), log_mel(hits))
    assert distances.shape == (2, 3)
    assert float(distances[0, 0]) == 0
    assert float(distances[1].argmin()) == 1
    assert float(distances[0, 2]) == pytest.approx(float(compare(hits[:1], hits[2:])["lmd"]), rel=0.2)


def test_the_dsp_baseline_stays_within_its_bounds_and_repeats_by_its_generator() -> None:
    hits = tone_hit(1000.0).expand(16, -1)
    made = dsp_baseline(hits, torch.Generator().manual_seed(3))
    again = dsp_baseline(hits, torch.Generator().manual_seed(3))
    assert torch.equal(made, again)
    level = describe(made).peak_db - describe(hits).peak_db
    assert float(level.abs().max()) <= 1.3
    assert float(level.std()) > 0.2
    cents = 12 * (describe(made).centroid_hz / describe(hits).centroid_hz).log2() * 100
    assert float(cents.abs().max()) <= 21
    still = dsp_baseline(hits[:1], torch.Generator().manual_seed(3), BaselineSettings(0, 0, 0))
    assert float((still - hits[:1])[:, :20000].abs().max()) < 1e-3


def test_a_stroke_that_swells_has_lost_its_attack() -> None:
    hit = tone_hit(800, 40)
    swelling = hit * (1 - torch.exp(-SECONDS / 0.008))
    measured = compare(hit.repeat(2, 1), torch.cat([moved(hit, 40), swelling]))
    assert float(measured["attack_db"][0]) == pytest.approx(0, abs=0.1)
    assert -20 < float(measured["attack_db"][1]) < -6

import numpy as np
import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.damage import find_damage
from ghostnote.bridge.tools.repair import repair

RATE = 44_100


def tom(seconds=0.4, noise=0.02, seed=1):
    """Return two decaying tones and noise, which begin after 2 ms."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    ring = 0.5 * np.sin(2 * np.pi * 140 * t) + 0.2 * np.sin(2 * np.pi * 231 * t)
    hit = np.exp(-9 * t) * (ring + noise * rng.standard_normal(len(t))) * np.minimum(1, t / 0.002)
    return np.pad(hit, (88, 0))[None].astype(np.float32)


def level_db(part):
    return 10 * np.log10(np.square(part, dtype=float).mean())


@pytest.mark.parametrize("ms", [5, 20, 50])
def test_a_tone_goes_on_through_a_gap_and_what_is_whole_stays(ms):
    hit = tom(noise=0.001)
    start, end = 4410, 4410 + ms * 44
    broken = hit.copy()
    broken[:, start:end] = 0
    mended = repair(broken, RATE, start=start / RATE, end=end / RATE).audio
    assert level_db(mended[:, start:end] - hit[:, start:end]) < level_db(hit[:, start:end]) - 20
    untouched = np.r_[0:start, end : hit.shape[1]]
    assert np.array_equal(mended[:, untouched], hit[:, untouched])


def test_noise_in_a_gap_is_as_loud_as_it_was_and_not_silence():
    rng = np.random.default_rng(3)
    t = np.arange(RATE // 2) / RATE
    hat = (np.exp(-12 * t) * rng.standard_normal(len(t)))[None].astype(np.float32)
    start, end = 2205, 4410
    broken = hat.copy()
    broken[:, start:end] = 0
    mended = repair(broken, RATE, start=start / RATE, end=end / RATE).audio
    for first in range(start, end, 735):
        part = slice(first, first + 735)
        assert level_db(mended[:, part]) == pytest.approx(level_db(hat[:, part]), abs=2.0)


def test_a_dropout_is_found_and_filled():
    hit = tom()
    broken = hit.copy()
    broken[:, 3000:3300] = 0
    mended = repair(broken, RATE)
    assert [(d.kind, d.start, d.end) for d in mended.damage[0]] == [("dropout", 3000, 3300)]
    assert level_db(mended.audio[:, 3000:3300] - hit[:, 3000:3300]) < level_db(hit[:, 3000:3300]) - 12


def test_clicks_are_found_where_they_are_and_taken_away():
    hit = tom()
    broken = hit.copy()
    for at in (4000, 9000):
        broken[:, at : at + 3] += np.float32(0.4)
    mended = repair(broken, RATE)
    clicks = [d for d in mended.damage[0] if d.kind == "click"]
    assert all(any(d.start - 4 <= at < d.end + 4 for d in clicks) for at in (4000, 9000))
    assert np.abs(mended.audio - hit).max() < 0.15
    assert level_db(mended.audio - hit) < level_db(broken - hit) - 12


def test_clipped_peaks_come_back_above_the_ceiling():
    hit = tom(noise=0.001)
    ceiling = 0.6 * np.abs(hit).max()
    broken = np.clip(hit, -ceiling, ceiling)
    mended = repair(broken, RATE)
    assert {d.kind for d in mended.damage[0]} == {"clipped"}
    assert level_db(mended.audio - hit) < level_db(broken - hit) - 10
    assert np.abs(mended.audio).max() == pytest.approx(np.abs(hit).max(), rel=0.15)


@pytest.mark.parametrize("hz", [30, 50, 80])
def test_the_round_top_of_a_deep_tone_is_not_clipped(hz):
    t = np.arange(RATE) / RATE
    kick = (0.9 * np.exp(-4 * t) * np.sin(2 * np.pi * hz * t) * np.minimum(1, t / 0.002))[None].astype(np.float32)
    assert find_damage(kick[0], RATE) == []
    assert {d.kind for d in find_damage(kick[0].clip(-0.7, 0.7), RATE)} == {"clipped"}


def test_a_cut_attack_gets_a_rise_before_it():
    hit = tom()[:, 400:]
    mended = repair(hit, RATE)
    assert [d.kind for d in mended.damage[0]] == ["cut attack"]
    more = mended.audio.shape[1] - hit.shape[1]
    assert more == round(0.002 * RATE)
    assert np.array_equal(mended.audio[:, more:], hit)
    assert abs(mended.audio[0, 0]) < 0.01 * np.abs(hit).max()
    steps = np.abs(np.diff(mended.audio[0, : more + 20]))
    assert steps.max() < 0.5 * abs(hit[0, 0])


def test_a_cut_whose_first_sample_is_soft_is_found_and_a_room_before_a_hit_is_none():
    hit = tom()[0]
    late = next(at for at in range(400, 900) if 0.012 < abs(hit[at]) / np.abs(hit).max() < 0.03)
    assert [damage.kind for damage in find_damage(hit[late:], RATE)] == ["cut attack"]
    room = hit + 0.01 * np.random.default_rng(1).standard_normal(len(hit)).clip(-2, 2) * np.abs(hit).max()
    room[0] = 0.015 * np.abs(hit).max()
    assert not [damage for damage in find_damage(room, RATE) if damage.kind == "cut attack"]


@pytest.mark.parametrize("seed", range(4))
def test_a_hit_that_is_whole_stays_as_it_is(seed):
    rng = np.random.default_rng(seed)
    t = np.arange(RATE // 3) / RATE
    snare = np.exp(-20 * t) * (0.2 * rng.standard_normal(len(t)) + 0.3 * np.sin(2 * np.pi * 180 * t))
    hit = np.pad(snare, (44, 0))[None].astype(np.float32)
    mended = repair(hit, RATE)
    assert mended.damage == ((),)
    assert np.array_equal(mended.audio, hit)


def test_each_channel_is_mended_alone():
    hit = np.repeat(tom(), 2, axis=0)
    broken = hit.copy()
    broken[1, 5000:5200] = 0
    mended = repair(broken, RATE)
    assert mended.damage[0] == ()
    assert np.array_equal(mended.audio[0], hit[0])
    assert not np.array_equal(mended.audio[1], broken[1])


def test_silence_at_both_ends_is_no_dropout():
    assert find_damage(np.pad(tom()[0], (1000, 1000)), RATE) == []


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [(0.1, None, "only one is given"), (0.3, 0.2, "not within"), (0.1, 9.0, "not within"), (0.05, 0.35, "a shorter")],
)
def test_times_that_cannot_be_mended_are_said(start, end, words):
    with pytest.raises(InputError, match=words):
        repair(tom(), RATE, start=start, end=end)


def test_silence_is_said():
    with pytest.raises(InputError, match="is silent"):
        repair(np.zeros((1, 100)), RATE)


def test_single_steps_of_16_bits_in_a_fade_are_no_clicks():
    time = np.arange(44_100) / 44_100
    sound = 0.6 * np.sin(2 * np.pi * 180 * time) * np.exp(-time / 0.05)
    steps = np.rint(sound * 32_767)
    steps[np.random.default_rng(0).integers(30_000, 44_000, 40)] += 1
    assert find_damage((steps / 32_768).astype(np.float32), 44_100) == []


@pytest.mark.parametrize(("hz", "gain"), [(60, 3), (60, 8), (110, 6)])
def test_long_peaks_that_are_clipped_one_after_another_get_no_peak_beyond_reason(hz, gain):
    t = np.arange(RATE // 2) / RATE
    bass = gain * (
        np.sin(2 * np.pi * hz * t) * np.exp(-t / 0.8) + 0.2 * np.sin(6.6 * np.pi * hz * t) * np.exp(-t / 0.2)
    )
    mended = repair(np.clip(bass, -1, 1)[None].astype(np.float32), RATE).audio[0]
    assert np.abs(mended).max() < 1.5 * np.abs(bass).max()
    clipped = np.abs(bass) > 1
    assert level_db((mended - bass)[clipped]) < level_db((np.clip(bass, -1, 1) - bass)[clipped])


@pytest.mark.parametrize("seconds", [0.005, 0.05, 0.15])
def test_what_begins_a_hit_rises_from_silence_and_is_no_louder_than_what_follows(seconds: float):
    t = np.arange(RATE // 2) / RATE
    tom = (0.8 * np.sin(2 * np.pi * 120 * t) * np.exp(-t / 0.08)).astype(np.float32)[None]
    end = round(seconds * RATE)
    mended = repair(tom, RATE, start=0, end=seconds).audio[0]
    assert abs(mended[0]) < 1e-6
    assert np.abs(mended[:end]).max() < 2 * np.abs(tom[0, end : end + 400]).max()

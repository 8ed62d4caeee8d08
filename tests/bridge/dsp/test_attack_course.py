import numpy as np
import pytest

from ghostnote.bridge.dsp.attack_course import AttackCourse

RATE = 44_100
TIME = np.arange(20_000) / RATE


def tone(hz: float = 500, seconds: float = 0.02) -> np.ndarray:
    """Return a decaying tone, (1, frames)."""
    return (0.5 * np.sin(2 * np.pi * hz * TIME) * np.exp(-TIME / seconds)).astype(np.float32)[None]


def first_db(hit: np.ndarray) -> float:
    """Return the energy of the first 5 ms beside that of the first 100 ms, in dB."""
    energy = np.square(hit, dtype=np.float64).sum(axis=0)
    return float(10 * np.log10(energy[:220].sum() / energy[:4410].sum()))


@pytest.mark.parametrize("hz", [60, 500, 3000])
def test_a_strike_that_swells_is_as_sharp_again(hz: float) -> None:
    hit = tone(hz, 0.03)
    stroke = (hit * (1 - np.exp(-TIME / 0.006))).astype(np.float32)
    before, was = stroke.copy(), first_db(stroke) - first_db(hit)
    AttackCourse(hit).apply_to(stroke, 1.0)
    assert was < -3
    assert abs(first_db(stroke) - first_db(hit)) < 1
    np.testing.assert_array_equal(stroke[:, 4096:], before[:, 4096:])


def test_the_same_attack_is_left_alone() -> None:
    hit = tone()
    stroke = hit.copy()
    AttackCourse(hit).apply_to(stroke, 1.0)
    np.testing.assert_allclose(stroke, hit, atol=1e-6)


def test_half_the_strength_does_half_in_decibels() -> None:
    hit = tone()
    swelling = (hit * (1 - np.exp(-TIME / 0.004))).astype(np.float32)
    half = swelling.copy()
    AttackCourse(hit).apply_to(half, 0.5)
    assert first_db(swelling) < first_db(half) - 1 < first_db(hit) - 2


def test_partials_that_beat_get_no_combination_tone() -> None:
    hit, stroke = tone(540, 0.1) + tone(800, 0.1), tone(540, 0.1) + 0.5 * tone(800, 0.1)
    AttackCourse(hit).apply_to(stroke, 1.0)
    level = np.abs(np.fft.rfft(stroke[0, 200:4296] * np.blackman(4096)))
    place = np.fft.rfftfreq(4096, 1 / RATE)
    assert level[np.abs(place - 280) < 30].max() < 1e-3 * level.max()


@pytest.mark.parametrize("hit", [np.zeros((1, 5000), np.float32), tone()[:, :100], np.zeros((2, 0), np.float32)])
def test_silence_and_short_hits_stay_finite(hit: np.ndarray) -> None:
    for stroke in (hit.copy(), np.zeros_like(hit)):
        AttackCourse(hit).apply_to(stroke, 1.0)
        assert np.isfinite(stroke).all()


def test_a_sharper_stroke_begins_so_much_louder() -> None:
    noise = np.random.default_rng(0).standard_normal((1, 20_000)).astype(np.float32)
    sharper, duller = noise.copy(), noise.copy()
    course = AttackCourse(noise)
    course.apply_to(sharper, 0.0, 2.0)
    course.apply_to(duller, 0.0, -2.0)
    np.testing.assert_allclose(20 * np.log10(np.abs(sharper / duller))[0, :100], 4.0, atol=0.1)
    np.testing.assert_allclose(sharper[:, 700:], noise[:, 700:], atol=1e-3)

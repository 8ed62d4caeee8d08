import numpy as np
import pytest

from ghostnote.bridge.dsp.low_end import LowEnd

RATE = 44_100
TIME = np.arange(16_384) / RATE


def ringing(hz: float, seconds: float = 0.03) -> np.ndarray:
    """Return a decaying tone that rises for 1 ms, (1, frames)."""
    rise = np.minimum(TIME / 0.001, 1)
    return (0.3 * rise * np.sin(2 * np.pi * hz * TIME) * np.exp(-TIME / seconds)).astype(np.float32)[None]


def level_db(hit: np.ndarray, low: float, high: float) -> float:
    """Return the power from `low` to `high` Hz of the first 93 ms."""
    power = np.square(np.abs(np.fft.rfft(hit[:, :4096] * np.hanning(8192)[4096:], 1 << 15))).sum(axis=0)
    hz = np.fft.rfftfreq(1 << 15, 1 / RATE)
    return float(10 * np.log10(power[(hz >= low) & (hz < high)].mean() + 1e-12))


def test_a_thump_that_the_hit_lacks_is_taken_out() -> None:
    hit = ringing(600)
    stroke = hit + 0.3 * ringing(40)
    excess_db = level_db(stroke, 20, 80) - level_db(hit, 20, 80)
    LowEnd(hit, np.zeros_like(hit)).limit(stroke, np.zeros_like(stroke))
    assert excess_db > 20
    assert level_db(stroke, 20, 80) - level_db(hit, 20, 80) < excess_db - 15
    assert level_db(stroke, 500, 5000) == pytest.approx(level_db(hit, 500, 5000), abs=0.1)


def test_a_low_end_like_the_hits_own_is_left_alone() -> None:
    hit = ringing(50, 0.08) + ringing(300)
    stroke = 1.1 * hit
    LowEnd(hit, np.zeros_like(hit)).limit(stroke, np.zeros_like(stroke))
    np.testing.assert_allclose(stroke, 1.1 * hit, atol=1e-6)


def test_partials_may_be_louder_than_the_hits() -> None:
    hit = ringing(50, 0.08)
    louder = 2 * hit
    LowEnd(hit, hit).limit(louder, 2 * hit)
    np.testing.assert_array_equal(louder, 2 * hit)


def test_nothing_sounds_sooner() -> None:
    hit = ringing(600)
    thump = np.zeros_like(hit)
    thump[:, 2000:] = ringing(40)[:, :-2000]
    LowEnd(hit, np.zeros_like(hit)).limit(thump, np.zeros_like(thump))
    assert np.abs(thump[:, 2000:]).max() > 1e-3
    assert np.abs(thump[:, :2000]).max() < 1e-4


def test_the_image_stays() -> None:
    hit = np.repeat(ringing(600), 2, axis=0)
    stroke = np.concatenate([hit[:1] + ringing(40), 0.5 * (hit[:1] + ringing(40))])
    LowEnd(hit, np.zeros_like(hit)).limit(stroke, np.zeros_like(stroke))
    np.testing.assert_allclose(stroke[1], 0.5 * stroke[0], atol=1e-5)


@pytest.mark.parametrize("hit", [np.zeros((1, 5000), np.float32), ringing(50)[:, :100], np.zeros((2, 0), np.float32)])
def test_silence_and_short_hits_stay_finite(hit: np.ndarray) -> None:
    for stroke in (hit.copy(), np.zeros_like(hit)):
        LowEnd(hit, np.zeros_like(hit)).limit(stroke, np.zeros_like(stroke))
        assert np.isfinite(stroke).all()

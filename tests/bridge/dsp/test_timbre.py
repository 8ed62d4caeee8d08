"""The timbre of strokes, and the filter that brings one to another's."""

import numpy as np
import pytest

from ghostnote.bridge.dsp.timbre import BANDS, KNOTS, difference_db, filtered, timbre_of
from ghostnote.bridge.dsp.velocity import hit_level_db

RATE = 44_100


def noise(decay: float = 12.0, tilt_db: float = 0.0, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Return noise (1, frames) of 0.6 s that decays, with `tilt_db` an octave over 1 kHz."""
    t = np.arange(round(0.6 * rate)) / rate
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(t)))
    hz = np.maximum(np.fft.rfftfreq(len(t), 1 / rate), 20)
    tilted = np.fft.irfft(spectrum * 10 ** (tilt_db * np.log2(hz / 1000) / 20), len(t))
    return (0.1 * tilted * np.exp(-decay * t))[None].astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_a_stroke_with_another_s_timbre_has_its_levels_over_time_and_frequency(rate: int) -> None:
    soft, hard = noise(12, -3, rate), noise(8, 0, rate)
    wanted, own = timbre_of(hard, rate), timbre_of(soft, rate)
    made = timbre_of(filtered(soft, rate, wanted - own), rate)
    assert difference_db(own, wanted) > 3
    assert difference_db(made, wanted) < 0.3 * difference_db(own, wanted)


def test_no_gain_changes_nothing() -> None:
    stroke = noise()
    assert np.allclose(filtered(stroke, RATE, np.zeros((BANDS, KNOTS))), stroke, atol=1e-5)


def test_a_level_alone_is_no_timbre_and_stays() -> None:
    stroke = noise()
    louder = filtered(stroke, RATE, np.full((BANDS, KNOTS), 9.0))
    assert hit_level_db(louder, RATE) == pytest.approx(hit_level_db(stroke, RATE), abs=0.01)
    assert difference_db(timbre_of(stroke, RATE), timbre_of(2 * stroke, RATE)) == pytest.approx(0, abs=0.01)


def test_a_pure_tone_keeps_its_frequency_and_gets_no_other() -> None:
    t = np.arange(RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 440 * t) * np.exp(-3 * t))[None].astype(np.float32)
    gain_db = np.linspace(0, -15, KNOTS)[None] + np.linspace(6, -6, BANDS)[:, None]
    made = filtered(tone, RATE, gain_db)[0]
    spectrum = np.abs(np.fft.rfft(made * np.blackman(len(made))))
    peak = int(spectrum.argmax())
    assert peak == 440
    elsewhere = np.delete(spectrum, range(peak - 40, peak + 41))
    assert 20 * np.log10(elsewhere.max() / spectrum[peak]) < -60


def test_what_is_before_the_onset_stays() -> None:
    stroke = np.concatenate([np.zeros((2, 4000), np.float32), np.repeat(noise(), 2, axis=0)], axis=1)
    made = filtered(stroke, RATE, np.linspace(-12, 12, BANDS)[:, None] * np.ones(KNOTS))
    assert made.shape == stroke.shape
    assert not made[:, :4000].any()
    assert np.array_equal(made[0], made[1])


def test_silence_and_a_single_frame_have_a_timbre_too() -> None:
    for audio in (np.zeros((1, 500), np.float32), np.ones((1, 1), np.float32)):
        timbre = timbre_of(audio, RATE)
        assert timbre.shape == (BANDS, KNOTS)
        assert np.isfinite(timbre).all()
        assert np.isfinite(filtered(audio, RATE, np.ones((BANDS, KNOTS)))).all()

"""How far lines stand out, band by band: a slope is none, and neither is noise."""

import numpy as np
import pytest

from ghostnote.bridge.dsp.band_lines import body_spectrum, has_body, line_prominence
from ghostnote.bridge.dsp.shape import BAND_HZ, RATE

FRAMES = 32_768


def noise(slope_db: float = 0.0) -> np.ndarray:
    """Return noise that falls by so many dB an octave from 100 Hz on."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(FRAMES))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(FRAMES, 1 / RATE), 100) / 100)
    return np.fft.irfft(spectrum * 10 ** (-slope_db * octaves / 20))


def sine(hz: float, level: float = 1.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz / RATE * np.arange(FRAMES))


@pytest.mark.parametrize("slope_db", [0, 6, 12])
def test_noise_has_the_same_prominence_whatever_its_slope(slope_db: float) -> None:
    found = line_prominence(body_spectrum(noise(slope_db)))
    audible = found[:4]
    np.testing.assert_allclose(audible, 8.2, atol=2)


def test_lines_in_noise_stand_out_in_their_band_alone() -> None:
    # One in a hundred bins is what counts: a band of 512 takes more than one line.
    lines = sum(sine(hz, 2.0) for hz in (2_200, 2_500, 2_800, 3_100))
    found = line_prominence(body_spectrum(noise() + lines))
    band = np.searchsorted(BAND_HZ, 2_500, "right") - 1
    assert found[band] > 25
    np.testing.assert_allclose(np.delete(found, band), 8.2, atol=2)


def test_what_cannot_be_heard_is_not_measured() -> None:
    found = line_prominence(body_spectrum(sine(100)))
    assert found[0] > 40
    assert not found[2:].any()


def test_a_hit_that_has_died_away_has_no_body() -> None:
    assert has_body(noise())
    short = noise() * (np.arange(FRAMES) < 1_000)
    assert not has_body(short)
    assert body_spectrum(short[:1_000]).shape == body_spectrum(noise()).shape

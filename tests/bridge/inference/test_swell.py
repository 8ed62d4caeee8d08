import numpy as np
import pytest

from ghostnote.bridge.dsp.shape import BAND_HZ, BANDS, RATE
from ghostnote.bridge.inference.swell import Swell, draw_swell

HZ = np.arange(0.0, BAND_HZ[-1], 50.0)


def test_cymbals_swell_and_noise_does_not() -> None:
    rng = np.random.default_rng(0)
    noise = draw_swell(np.full(BANDS, 8.0), rng).gain_db(HZ)
    assert noise == pytest.approx(np.zeros(len(HZ)))
    cymbals = np.array([draw_swell(np.full(BANDS, 25.0), rng).gain_db(HZ[HZ > 2000]) for _ in range(20)])
    assert 3 < cymbals.std(axis=1).mean() < 8
    deepest, middle, highest = np.quantile(cymbals, (0.02, 0.5, 0.98), axis=1)
    assert (highest - middle).mean() > (middle - deepest).mean()


def test_swells_are_even_over_a_kilohertz() -> None:
    rng = np.random.default_rng(0)
    kilohertz = np.full(20, 1 / 20)
    swells = [draw_swell(np.full(BANDS, 25.0), rng).gain_db(HZ[HZ > 2000]) for _ in range(20)]
    even = [np.convolve(swell, kilohertz, "valid") for swell in swells]
    assert np.std(even, axis=1).mean() < 0.5 * np.std(swells, axis=1).mean()


def test_lines_that_are_told_apart_do_not_swell() -> None:
    swell = draw_swell(np.full(BANDS, 25.0), np.random.default_rng(1)).gain_db(HZ)
    assert np.ptp(swell[HZ < 1200]) == 0


def test_what_swells_has_the_gain_of_its_knots_and_no_earlier_onset() -> None:
    swell = Swell(np.where(np.arange(57) % 2, 6.0, -6.0))
    click = np.zeros(8192, np.float32)
    click[1000] = 1.0
    through = swell.through(click)
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(through)))
    hz = np.fft.rfftfreq(8192, 1 / RATE)
    assert spectrum == pytest.approx(swell.gain_db(hz), abs=0.5)
    assert np.abs(through[:1000]).max() < 1e-3

import numpy as np
import pytest

from ghostnote.bridge.dsp.autoregression import burg, drawn, expected, synthesize
from ghostnote.bridge.dsp.line_fit import fit_lines


def coloured(frames: int, poles: tuple[complex, ...] = (0.98 * np.exp(0.3j), 0.9 * np.exp(1.1j))) -> np.ndarray:
    """Return noise (frames,) through resonances."""
    model = np.real(np.poly([*poles, *np.conj(poles)]))
    return synthesize(np.random.default_rng(0).standard_normal(frames + 500), model)[500:]


@pytest.mark.parametrize(("start", "end"), [(400, 405), (400, 640), (0, 30), (770, 800)])
def test_what_is_expected_in_a_gap_has_the_least_errors(start: int, end: int):
    signal = coloured(800)
    coefficients, _ = burg([signal], 40)
    # The errors as a matrix times the gap, and what the rest of the signal leaves of them.
    rest = signal.copy()
    rest[start:end] = 0
    matrix = np.stack([np.convolve(row, coefficients) for row in np.eye(800)[start:end]], axis=1)
    least = np.linalg.lstsq(matrix, -np.convolve(rest, coefficients), rcond=None)[0]
    np.testing.assert_allclose(expected(signal, start, end, coefficients), least, atol=1e-8 * np.abs(signal).max())


@pytest.mark.parametrize("hz", [60, 200, 1000, 3000])
def test_tones_without_noise_leave_no_gap_beyond_their_level(hz: int):
    tone = np.sin(2 * np.pi * hz * np.arange(3000) / 44_100)
    for order, frames in ((40, 200), (160, 100), (160, 200)):
        coefficients, _ = burg([tone[:1400], tone[1400 + frames :]], order)
        assert np.abs(expected(tone, 1400, 1400 + frames, coefficients)).max() < 2


def test_what_is_drawn_is_as_loud_as_the_signal_and_goes_on_with_it():
    signal = coloured(4000)
    model = burg([signal[:1500], signal[2500:]], 40)
    filled = drawn(signal, 1500, 2500, model, np.random.default_rng(1))
    assert np.square(filled).mean() == pytest.approx(np.square(signal).mean(), rel=0.5)
    joined = np.concatenate([signal[:1500], filled, signal[2500:]])
    errors = np.abs(np.convolve(joined, model[0])[40:-40])
    assert errors[1450:2510].max() < 1.5 * errors[:1400].max()


def test_lines_that_decay_are_found_on_both_sides_of_a_gap():
    at = np.arange(6000) / 44_100
    signal = np.exp(-20 * at) * np.sin(2 * np.pi * 310 * at) + 0.5 * np.exp(-9 * at) * np.cos(2 * np.pi * 1234 * at)
    known = np.ones(6000, bool)
    known[2500:3600] = False
    found = fit_lines(np.where(known, signal, 0.0), known)
    np.testing.assert_allclose(found, signal, atol=1e-3)

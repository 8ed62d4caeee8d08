import numpy as np
import pytest

from ghostnote.bridge.dsp.minimum_phase import minimum_phase


def test_the_gain_is_the_one_asked_for_and_a_minimum_phase_filter_begins_at_once() -> None:
    log_gain = 0.8 * np.cos(np.linspace(0, 6 * np.pi, 1025))
    response = minimum_phase(log_gain)
    assert np.log(np.abs(response)) == pytest.approx(log_gain, abs=1e-6)
    taps = np.fft.irfft(response)
    # Linear phase would put half of the energy before the first frame, at the end of the circle.
    assert np.square(taps[1024:]).sum() < 1e-9 * np.square(taps).sum()


def test_a_flat_gain_is_an_impulse() -> None:
    taps = np.fft.irfft(minimum_phase(np.full(513, np.log(2.0))))
    assert taps[0] == pytest.approx(2.0)
    assert np.abs(taps[1:]).max() < 1e-12

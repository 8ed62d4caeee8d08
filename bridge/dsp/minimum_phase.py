"""Filters of minimum phase: nothing sounds ahead of an attack."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import fast_size

Audio = NDArray[np.float32]
Array = NDArray[np.float64]


def minimum_phase(log_gain: Array) -> NDArray[np.complex128]:
    """Return the response (bins,) of minimum phase whose gain has this natural logarithm at the bins of a real FFT.

    Its real cepstrum is folded (Oppenheim & Schafer 1975).
    """
    size = 2 * (len(log_gain) - 1)
    cepstrum = np.fft.irfft(log_gain, size)
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    return np.asarray(np.exp(np.fft.rfft(cepstrum)))


def equalized(audio: Audio, rate: int, gain_db: Callable[[Array], Array]) -> Audio:
    """Return audio (..., frames) with a gain in dB over frequency in Hz."""
    frames = audio.shape[-1]
    size = fast_size(2 * frames)
    hz = np.asarray(np.fft.rfftfreq(size, 1 / rate), np.float64)
    response = minimum_phase(gain_db(hz) * (np.log(10) / 20))
    return np.fft.irfft(np.fft.rfft(audio, size) * response, size)[..., :frames].astype(np.float32)

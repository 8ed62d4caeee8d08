"""Gains by frequency band, smooth from band to band, for whole hits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import fast_size

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

LOWEST_HZ: Final = 60.0
PER_OCTAVE: Final = 2
_QUIET: Final = 1e-18


class Bands:
    """Half-octave bands of sounds of one length, which overlap as triangles over the logarithm of frequency."""

    def __init__(self, frames: int, rate: int) -> None:
        """Prepare transforms of sounds of so many frames at `rate` Hz, padded so that filters do not wrap around."""
        self.frames = frames
        self.size = fast_size(frames + rate)
        self.hz = np.fft.rfftfreq(self.size, 1 / rate)
        count = int(np.floor(np.log2(rate / 2 / LOWEST_HZ) * PER_OCTAVE)) + 1
        self.centres: Array = LOWEST_HZ * 2 ** (np.arange(count) / PER_OCTAVE)
        place = np.clip(np.log2(np.maximum(self.hz, 1) / LOWEST_HZ) * PER_OCTAVE, 0, count - 1)
        self._low = np.minimum(place.astype(int), count - 2)
        self._share = place - self._low

    def transform(self, audio: Audio) -> NDArray[np.complex128]:
        """Return the spectra (..., bins) of sounds (..., frames)."""
        return np.fft.rfft(audio, self.size)

    def inverse(self, spectra: NDArray[np.complex128]) -> Audio:
        """Return the sounds (..., frames) of spectra (..., bins)."""
        return np.fft.irfft(spectra, self.size)[..., : self.frames].astype(np.float32)

    def cross_power(self, one: NDArray[np.complex128], other: NDArray[np.complex128]) -> Array:
        """Return the in-phase power (bands,) that two spectra (bins,) share: their covariance, band by band."""
        shared = (one * other.conj()).real
        low = np.bincount(self._low, shared * (1 - self._share), len(self.centres))
        high = np.bincount(self._low + 1, shared * self._share, len(self.centres))
        return np.asarray(low + high, np.float64)

    def power(self, spectrum: NDArray[np.complex128]) -> Array:
        """Return the power (bands,) of a spectrum (bins,), never quite 0."""
        return self.cross_power(spectrum, spectrum) + _QUIET

    def curve(self, gains: Array) -> Array:
        """Return gains (bands,) as a curve (bins,)."""
        return np.asarray(gains[self._low] * (1 - self._share) + gains[self._low + 1] * self._share)

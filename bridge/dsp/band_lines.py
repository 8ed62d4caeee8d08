"""How far spectral lines stand out of what surrounds them, in each wide band of a hit.

What is looked at is the body: 16,384 frames from frame 1,500, past the attack.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.shape import BAND_HZ, BANDS, RATE

Audio = NDArray[np.float32]
Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

BODY_START: Final = 1500
BODY_FRAMES: Final = 16_384

_AROUND: Final = 61
"""Bins, 164 Hz, over whose median a line stands: the slope of a spectrum is no line."""
_STRIDE: Final = 8
_LOWEST_BIN: Final = 12
_TOP: Final = 0.99
_AUDIBLE_DB: Final = -60.0
_LEAST_DB: Final = -90.0
_DECAYED_DB: Final = -45.0
_TINY: Final = 1e-12
_EDGES: Final = np.maximum(np.rint(np.array(BAND_HZ) * BODY_FRAMES / RATE).astype(int), _LOWEST_BIN)


def has_body(hit: Audio | Array) -> bool:
    """Return whether a hit (frames,) still sounds past its attack."""
    body = hit[BODY_START : BODY_START + BODY_FRAMES]
    return bool(np.square(body).sum() > 10 ** (_DECAYED_DB / 10) * np.square(hit).sum())


def body_spectrum(hit: Audio | Array) -> Spectrum:
    """Return the spectrum of the body of a hit (frames,) under a Blackman window, (BODY_FRAMES / 2 + 1,)."""
    body = np.zeros(BODY_FRAMES)
    found = hit[BODY_START : BODY_START + BODY_FRAMES]
    body[: len(found)] = found
    return np.asarray(np.fft.rfft(body * np.blackman(BODY_FRAMES)))


def line_prominence(spectrum: Spectrum) -> Array:
    """Return how far the strongest lines of a `body_spectrum` stand out in each band, (BANDS,) in dB.

    The 99th percentile over the median, of levels beside those around them; noise has 8 to 9 dB. 0 where the band is
    inaudible.
    """
    level = 20 * np.log10(np.abs(spectrum) + _TINY)
    level = np.maximum(level - level.max(), _LEAST_DB)
    above = level - _surroundings(level)
    found = np.zeros(BANDS)
    for band, (low, high) in enumerate(pairwise(_EDGES)):
        if np.quantile(level[low : high + 1], _TOP) > _AUDIBLE_DB:
            top, middle = np.quantile(above[low : high + 1], (_TOP, 0.5))
            found[band] = top - middle
    return found


def _surroundings(level: Array) -> Array:
    """Return the median of the levels around each bin, (bins,)."""
    padded = np.pad(level, _AROUND // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _AROUND)[::_STRIDE]
    return np.interp(np.arange(len(level)), np.arange(0, len(level), _STRIDE), np.median(windows, axis=1))

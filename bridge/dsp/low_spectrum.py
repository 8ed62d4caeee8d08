"""What surrounds the lines of a hit below 700 Hz, where the bands of the transform are too wide to tell."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.minimum_phase import equalized
from ghostnote.bridge.dsp.shape import RATE

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

LOW_HZ: Final = (60.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0)
"""Where levels are taken."""

RAISED_DB: Final = 10.0
"""By how much noise gets louder at most: gains far above that would raise a burst of it, too."""

_WINDOWS: Final = ((16_384, 1500), (8192, 1500), (4096, 700), (2048, 250))
"""Frames of the spectrum, and the frame where it begins."""
_LOWERED_DB: Final = 50.0
_DECAYED_DB: Final = -45.0
_LEAST_HZ: Final = 40.0
_SHARE: Final = 0.15
_AS_IT_WAS_HZ: Final = 1400.0
_ATTACK_FRAMES: Final = (220, 1540)
"""Until the first noise stays as it is, and from the last on it has its levels: they are those of the body."""
_TINY: Final = 1e-12


def body_window(hit: Audio | Array, longest: int = _WINDOWS[0][0]) -> tuple[int, int]:
    """Return the longest window in which a hit (frames,) still sounds past its attack, and where it begins."""
    total = np.square(hit).sum()
    for window, start in [each for each in _WINDOWS[:-1] if each[0] <= longest]:
        later = hit[start + window // 2 : start + window]
        if np.square(later).sum() > 10 ** (_DECAYED_DB / 10) * total:
            return window, start
    return _WINDOWS[-1]


def low_levels(hit: Audio | Array) -> Array:
    """Return the level in dB around each of LOW_HZ beside that of the whole, (LOW_HZ,), in the body of a hit (frames,).

    It is the median over 15 % to either side, so that no line counts.
    """
    return _levels(hit, *body_window(hit))


def with_low_levels(noise: Audio, low_db: Array, others: Audio, *, raised_db: float = RAISED_DB) -> Audio:
    """Return the noise (frames,) of a hit, so loud that the `low_levels` of the hit are `low_db`.

    `others` (frames,) is what else the hit has. Noise gets louder by `raised_db` at most. The attack stays.
    """
    whole = noise + others
    window, start = body_window(whole)
    apart_db = _energy_db(whole, window, start) - _energy_db(noise, window, start)
    gain_db = np.clip(low_db + apart_db - _levels(noise, window, start), -_LOWERED_DB, raised_db)
    octaves = np.log2((*LOW_HZ, _AS_IT_WAS_HZ))
    gains = np.append(gain_db, 0.0)
    levelled = equalized(noise, RATE, lambda hz: np.interp(np.log2(np.maximum(hz, 1.0)), octaves, gains))
    first, last = _ATTACK_FRAMES
    share = np.clip((np.arange(len(noise), dtype=np.float32) - first) / (last - first), 0, 1)
    return noise + share * (levelled - noise)


def _levels(hit: Audio | Array, window: int, start: int) -> Array:
    level = 20 * np.log10(_spectrum(hit, window, start) + _TINY)
    bins = np.arange(len(level)) * RATE / window
    around = [np.abs(bins - hz) <= max(_LEAST_HZ, _SHARE * hz) for hz in LOW_HZ]
    return np.array([np.median(level[near]) for near in around]) - _energy_db(hit, window, start)


def _energy_db(hit: Audio | Array, window: int, start: int) -> float:
    """Return the energy of a window, in dB of one bin of white noise that has it."""
    return float(10 * np.log10(np.square(_spectrum(hit, window, start)).mean() + _TINY**2))


def _spectrum(hit: Audio | Array, window: int, start: int) -> Array:
    body = np.zeros(window)
    found = hit[start : start + window]
    body[: len(found)] = found
    return np.abs(np.fft.rfft(body * np.hanning(window)))

"""Levels between those of two hits: over time, and of what does not ring beside what does."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import RATE, fast_size, split
from ghostnote.bridge.dsp.parts import Audio
from ghostnote.bridge.tools.noise_cells import HOP, windows_of

Array = NDArray[np.float64]

_MOST_LEVELLED_DB, _MOST_SOFTENED_DB = 24.0, 80.0
_DEEPEST_DB: Final = -90.0
_DEPTHS: Final = 901
_GRID: Final = 32
_TILT_HZ: Final = 100.0
_MOST_TILTED: Final = 1.0
_TILTINGS: Final = 12
_LEVELLINGS: Final = 2
"""One gain over 12 ms moves the level of its neighbours."""
_BALANCINGS: Final = 6
_BALANCED_DB: Final = 0.5
_SLOPES: Final = (0.1, 2.0)
"""By how much the balance can move for each decibel between lines and noise."""
_MOST_BALANCED_DB: Final = 24.0
_FLOOR: Final = 1e-6
_QUIET: Final = 1e-10
_TINY: Final = 1e-20


def balanced(lines: Audio, noise: Audio, wanted_db: float, finished: Callable[[Audio], Audio]) -> Audio:
    """Return lines and noise, (channels, frames), as one, `finished`, with the `noise_over_ringing_db` that is wanted.

    Lines that move stand out of noise in which others are hidden, so the balance is found by trial (secant method).
    """
    made = nearest = finished(lines + noise)
    if not lines.any() or not noise.any():
        return made
    moved_db, slope, least, before = 0.0, 1.0, np.inf, (0.0, 0.0)
    for trial in range(_BALANCINGS):
        ringing, rest = split(made)
        missing = wanted_db - noise_over_ringing_db(rest, ringing)
        if abs(missing) < least:
            nearest, least = made, abs(missing)
        if least < _BALANCED_DB:
            break
        if trial and moved_db != before[0]:
            slope = float(np.clip((before[1] - missing) / (moved_db - before[0]), *_SLOPES))
        before = moved_db, missing
        moved_db = float(np.clip(moved_db + missing / slope, -_MOST_BALANCED_DB, _MOST_BALANCED_DB))
        louder = np.float32(10 ** (moved_db / 40))
        made = finished(lines / louder + noise * louder)
    return nearest


def noise_over_ringing_db(noise: Audio, ringing: Audio) -> float:
    """Return how loud the noise of a hit is beside what rings, both (channels, frames), between -60 and 60 dB."""
    energy = [float(np.square(part, dtype=np.float64).sum()) for part in (noise, ringing)]
    return float(10 * np.log10((energy[0] + _FLOOR * energy[1] + _TINY) / (energy[1] + _FLOOR * energy[0] + _TINY)))


def levelled(made: Audio, wanted_db: Array) -> Audio:
    """Return `made` (channels, frames) at a level over time in dB, (windows,).

    Where one of two hits has its energy in lows and the other in highs, half of each would be less than either.
    """
    at = np.arange(len(wanted_db), dtype=np.float64) * HOP
    for _ in range(_LEVELLINGS):
        gain_db = np.clip(wanted_db - level_db(made), -_MOST_SOFTENED_DB, _MOST_LEVELLED_DB)
        made = made * np.asarray(10 ** (np.interp(np.arange(made.shape[1]), at, gain_db) / 20), np.float32)
    return made


def level_between(first: Audio, second: Audio, share: float) -> Array:
    """Return the level over time in dB, (windows,), of a hit between two others, both (channels, as many frames).

    What is left of its energy is as much after a time that lies between theirs: so half-way between a short drum and a
    long one is a drum half as long, where levels half-way would fall as the one and then linger as the other.
    """
    depths = np.linspace(0, _DEEPEST_DB, _DEPTHS)
    left = [_left_db(hit) for hit in (first, second)]
    times = [np.interp(-depths, -course, np.arange(len(course)) * _GRID) for course in left]
    total_db = [10 * np.log10(np.square(hit, dtype=np.float64).mean(axis=0).sum() + _QUIET) for hit in (first, second)]
    time = (1 - share) * times[0] + share * times[1]
    at = np.arange(windows_of(first.shape[1]), dtype=np.float64) * HOP
    course = [10 ** (np.interp(at + side, time, depths, right=2 * _DEEPEST_DB) / 10) for side in (-2 * HOP, 2 * HOP)]
    power = 10 ** (((1 - share) * total_db[0] + share * total_db[1]) / 10) * (course[0] - course[1])
    return np.asarray(10 * np.log10(power / (4 * HOP) + _QUIET))


def tilted(made: Audio, wanted_hz: float) -> Audio:
    """Return `made` (channels, frames) with its highs louder or softer, so that its spectrum's centroid is as wanted.

    By a power of a first-order shelf, which is causal: nothing comes before the attack.
    """
    size = fast_size(2 * made.shape[1])
    spectra = np.fft.rfft(made, size)
    hz = np.fft.rfftfreq(size, 1 / RATE)
    power, shelf = np.square(np.abs(spectra)).sum(axis=0), 1 + 1j * hz / _TILT_HZ
    low, high = -_MOST_TILTED, _MOST_TILTED
    for _ in range(_TILTINGS):
        slope = (low + high) / 2
        weight = power * np.abs(shelf) ** (2 * slope)
        low, high = (slope, high) if (weight * hz).sum() < wanted_hz * weight.sum() else (low, slope)
    return np.asarray(np.fft.irfft(spectra * shelf**low, size)[:, : made.shape[1]], np.float32)


def _left_db(hit: Audio) -> Array:
    """Return the energy that is still to come each _GRID frames, beside the whole, in falling dB."""
    power = np.square(hit, dtype=np.float64).sum(axis=0)
    power = np.pad(power, (0, -len(power) % _GRID)).reshape(-1, _GRID).sum(axis=1)
    left = np.append(power[::-1].cumsum()[::-1], 0.0)
    return np.asarray(10 * np.log10(left / (left[0] + _TINY) + 10 ** (2 * _DEEPEST_DB / 10)))


def level_db(sound: Audio) -> Array:
    """Return the level of the 23 ms around each window of HOP frames, in dB, (windows,)."""
    count = windows_of(sound.shape[1])
    power = np.square(sound, dtype=np.float64).mean(axis=0)
    total = np.pad(power, (2 * HOP + 1, count * HOP + 2 * HOP - len(power))).cumsum()
    level = total[4 * HOP :: HOP][:count] - total[::HOP][:count]
    return np.asarray(10 * np.log10(level / (4 * HOP) + _QUIET))

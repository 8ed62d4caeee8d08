"""Levels between those of two hits: over time, and of what does not ring beside what does."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import split
from ghostnote.bridge.dsp.parts import Audio
from ghostnote.bridge.tools.noise_cells import HOP, windows_of

Array = NDArray[np.float64]

_MOST_LEVELLED_DB: Final = 24.0
_LEVELLINGS: Final = 2
"""One gain over 12 ms moves the level of its neighbours."""
_BALANCINGS: Final = 4
_BALANCED_DB: Final = 0.5
_MOST_BALANCED_DB: Final = 24.0
_FLOOR: Final = 1e-6
_QUIET: Final = 1e-10
_TINY: Final = 1e-20


def balanced(lines: Audio, noise: Audio, wanted_db: float, finished: Callable[[Audio], Audio]) -> Audio:
    """Return lines and noise, (channels, frames), as one, `finished`, with the `noise_over_ringing_db` that is wanted.

    Lines that move stand out of noise in which others are hidden, so the balance is found by trial.
    """
    made = nearest = finished(lines + noise)
    if not lines.any() or not noise.any():
        return made
    moved_db, least = 0.0, np.inf
    for _ in range(_BALANCINGS):
        ringing, rest = split(made)
        missing = wanted_db - noise_over_ringing_db(rest, ringing)
        if abs(missing) < least:
            nearest, least = made, abs(missing)
        if least < _BALANCED_DB:
            break
        moved_db = float(np.clip(moved_db + missing, -_MOST_BALANCED_DB, _MOST_BALANCED_DB))
        louder = np.float32(10 ** (moved_db / 40))
        made = finished(lines / louder + noise * louder)
    return nearest


def noise_over_ringing_db(noise: Audio, ringing: Audio) -> float:
    """Return how loud the noise of a hit is beside what rings, both (channels, frames), between -60 and 60 dB."""
    energy = [float(np.square(part, dtype=np.float64).sum()) for part in (noise, ringing)]
    return float(10 * np.log10((energy[0] + _FLOOR * energy[1] + _TINY) / (energy[1] + _FLOOR * energy[0] + _TINY)))


def levelled(made: Audio, first: Audio, second: Audio, share: Callable[[Array], Array]) -> Audio:
    """Return `made` at a level that lies over time between those of two hits in decibels, all (channels, frames).

    `share` gives the share of the second hit at times in frames. Where one has its energy in lows and the other in
    highs, half of each would be less than either.
    """
    at = np.arange(windows_of(made.shape[1]), dtype=np.float64) * HOP
    part = share(at)
    wanted = (1 - part) * _level_db(first) + part * _level_db(second)
    for _ in range(_LEVELLINGS):
        gain_db = np.clip(wanted - _level_db(made), -_MOST_LEVELLED_DB, _MOST_LEVELLED_DB)
        made = made * np.asarray(10 ** (np.interp(np.arange(made.shape[1]), at, gain_db) / 20), np.float32)
    return made


def _level_db(sound: Audio) -> Array:
    """Return the level of the 23 ms around each window of HOP frames, in dB, (windows,)."""
    count = windows_of(sound.shape[1])
    power = np.square(sound, dtype=np.float64).mean(axis=0)
    total = np.pad(power, (2 * HOP + 1, count * HOP + 2 * HOP - len(power))).cumsum()
    level = total[4 * HOP :: HOP][:count] - total[::HOP][:count]
    return np.asarray(10 * np.log10(level / (4 * HOP) + _QUIET))

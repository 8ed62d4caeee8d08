"""Cymbals that are struck together with louder drums: the loop itself says how its cymbals sound, and when they come.

A hat under a snare cannot be distinguished from the snare's own noise. But where the same hat is struck alone before
and after, at its usual interval, and what sounds there in its bands is no less than the hat, it was struck there, too.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.mixture import band_power

Floats = NDArray[np.float64]
Classes = tuple[str, ...]

KEEPING_TIME: Final = ("closed_hat", "open_hat", "ride")
"""What a drummer's hand strikes at even intervals; one of them at a time."""
_LEAST_ALONE: Final = 3
_WINDOW: Final = 1764
_FIRST_BAND: Final = 6
"""From 4 kHz on, of the bands of `band_power`."""
_BELOW_DB: Final = 4.0
_EVEN: Final = 0.12
"""Share of the usual interval by which a stroke may come early or late."""
_BOTH: Final = ((1, 4), (2, 3), (0, 1), (4, 5))
_ROUNDS: Final = 3


def with_company(mono: Floats, spans: Sequence[tuple[int, int]], classes: Sequence[Classes]) -> list[Classes]:
    """Return the classes of strokes, with the cymbal that keeps time where it is struck together with others."""
    found = [*classes]
    levels = np.array([_high_db(mono[start:]) for start, _ in spans])
    onsets = np.array([start for start, _ in spans])
    for name in KEEPING_TIME:
        alone = [at for at, names in enumerate(classes) if names == (name,)]
        if len(alone) < _LEAST_ALONE:
            continue
        usual = np.percentile(levels[alone], 25, axis=0)
        for _ in range(_ROUNDS):
            struck = [at for at, names in enumerate(found) if name in names]
            interval = float(np.median(np.diff(onsets[struck])))
            for at, names in enumerate(found):
                if set(names) & set(KEEPING_TIME) or not (levels[at] > usual - _BELOW_DB).all():
                    continue
                if _in_time(onsets[at], onsets[struck], interval):
                    found[at] = (*names, name)
    return found


def _high_db(part: Floats) -> Floats:
    """Return the level of the high bands in the first 40 ms of a stroke, and in the next, (2,)."""
    padded = np.pad(part[: 2 * _WINDOW], (0, max(0, 2 * _WINDOW - len(part))))
    powers = (band_power(padded[:_WINDOW]), band_power(padded[_WINDOW:]))
    return np.array([10 * np.log10(power[_FIRST_BAND:].sum() + 1e-12) for power in powers])


def _in_time(onset: int, struck: Floats, interval: float) -> bool:
    """Return whether strokes come a half or a whole usual interval before and after, or on one side twice."""
    away = (struck - onset) / interval
    near = [bool((np.abs(away - steps) < _EVEN).any()) for steps in (-2, -1, -0.5, 0.5, 1, 2)]
    return any(near[one] and near[other] for one, other in _BOTH)

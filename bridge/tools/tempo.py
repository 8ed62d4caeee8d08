"""The tempo of a loop, from when its strokes come."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RANGE_BPM: Final = (60.0, 200.0)
_STEP: Final = 0.0005
"""Between two tempi that are tried, as a share: over a minute a stroke is off by a twentieth of a beat."""
_USUAL_BPM: Final = 105.0
_OCTAVES: Final = 0.55
"""How far tempi usually lie from that; half and double tempo fit the same strokes."""
_LEVELS: Final = ((1, 0.45), (2, 0.6), (4, 1.0))
"""Grids of beats, eighths and sixteenths, and what strokes on them count."""
_LEAST_STROKES: Final = 4
_LEAST_FIT: Final = 0.45
"""Of strokes at random times the best grid fits less; 1 is all of them on the beat."""


def estimated_bpm(seconds: Sequence[float], weights: Sequence[float]) -> float | None:
    """Return the beats a minute on whose grid strokes fall best, to 0.01; None for few strokes, or none that fits.

    For each tempo the strokes' `weights` are summed as vectors that turn once a beat, twice and four times: they add up
    where all come at the same phase (a periodogram of the onsets). The first of the loop counts no more than others, so
    it may begin anywhere. Where half or double the tempo fits as well, the one nearer to 105 is taken.
    """
    at, size = np.asarray(seconds, float), np.asarray(weights, float)
    if len(at) < _LEAST_STROKES or np.ptp(at) <= 0:
        return None
    count = round(np.log(_RANGE_BPM[1] / _RANGE_BPM[0]) / _STEP)
    bpm = np.geomspace(*_RANGE_BPM, count)
    fit = _fit(bpm, at, size)
    usual = np.exp(-np.square(np.log2(bpm / _USUAL_BPM) / _OCTAVES) / 2)
    best = int((fit * usual).argmax())
    if fit[best] < _LEAST_FIT:
        return None
    near = np.linspace(bpm[max(best - 2, 0)], bpm[min(best + 2, count - 1)], 81)
    return round(float(near[_fit(near, at, size).argmax()]), 2)


def _fit(bpm: Array, at: Array, size: Array) -> Array:
    """Return how well strokes fall on the grids of each tempo, 0 to 1."""
    turns = np.outer(bpm / 60, at)
    total = sum(share for _, share in _LEVELS)
    sums = [share * np.abs((size * np.exp(2j * np.pi * level * turns)).sum(axis=1)) for level, share in _LEVELS]
    return np.asarray(sum(sums, np.zeros(len(bpm))) / (total * size.sum()))

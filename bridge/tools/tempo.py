"""The tempo of a loop, from when its strokes come."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RANGE_BPM: Final = (60.0, 200.0)
_STEP: Final = 0.0005
"""Between two tempi that are tried, as a share: over a minute a stroke is off by a twentieth of a beat."""
_LONGEST_SECONDS: Final = 60.0
_USUAL_BPM: Final = 105.0
_OCTAVES: Final = 0.55
"""How far tempi usually lie from that."""
_AS_WELL: Final = 0.6
"""Half or double of the best tempo is possible if it fits so many times as well: as sixteenths do beside eighths."""
_LEVELS: Final = ((1, 0.45), (2, 0.6), (4, 1.0))
"""Grids of beats, eighths and sixteenths, and what strokes on them count."""
_LEAST_STROKES: Final = 4
_LEAST_FIT: Final = 0.45
"""Of two dozen strokes or more at random times the best grid fits less; 1 is all of them on the beat."""


def estimated_bpm(seconds: Sequence[float], weights: Sequence[float]) -> float | None:
    """Return the beats a minute on whose grid strokes fall best, to 0.01; None for few strokes, or none that fits.

    For each tempo the strokes' `weights` are summed as vectors that turn once a beat, twice and four times: they add up
    where all come at the same phase (a periodogram of the onsets). The first of the loop counts no more than others, so
    it may begin anywhere; of more than a minute the busiest one counts. Half and double of the best tempo fit the same
    strokes in part: eighths at 170 are sixteenths at 85. Where one of them fits at least 0.6 times as well, nearness to
    105 decides, weighed with the fit.
    """
    if len(seconds) < _LEAST_STROKES:
        return None
    at, size = _busiest(np.asarray(seconds, float), np.asarray(weights, float))
    if len(at) < _LEAST_STROKES or np.ptp(at) <= 0:
        return None
    low, high = _RANGE_BPM
    bpm = np.geomspace(low, high, round(np.log(high / low) / _STEP))
    best = float(bpm[_fit(bpm, at, size).argmax()])
    found = [_nearby(tempo, at, size) for tempo in (best, best / 2, best * 2) if low <= tempo <= high]
    most = max(fit for _, fit in found)
    if most < _LEAST_FIT:
        return None
    possible = [(tempo, fit) for tempo, fit in found if fit >= _AS_WELL * most]
    return round(max(possible, key=lambda each: each[1] * _usual(each[0]))[0], 2)


def _busiest(at: Array, size: Array) -> tuple[Array, Array]:
    """Return the strokes of the minute that has most of them, and their weights."""
    order = np.argsort(at, kind="stable")
    at, size = at[order], size[order]
    counts = np.searchsorted(at, at + _LONGEST_SECONDS, side="right") - np.arange(len(at))
    first = int(counts.argmax())
    minute = slice(first, first + int(counts[first]))
    return at[minute], size[minute]


def _nearby(tempo: float, at: Array, size: Array) -> tuple[float, float]:
    """Return the tempo that fits best within two steps of one, and how well."""
    near = tempo * np.linspace(1 - 2 * _STEP, 1 + 2 * _STEP, 81)
    fit = _fit(near, at, size)
    return float(near[fit.argmax()]), float(fit.max())


def _usual(tempo: float) -> float:
    """Return how usual a tempo is, 0 to 1."""
    return float(np.exp(-np.square(np.log2(tempo / _USUAL_BPM) / _OCTAVES) / 2))


def _fit(bpm: Array, at: Array, size: Array) -> Array:
    """Return how well strokes fall on the grids of each tempo, 0 to 1."""
    turns = np.outer(bpm / 60, at)
    total = sum(share for _, share in _LEVELS)
    sums = [share * np.abs((size * np.exp(2j * np.pi * level * turns)).sum(axis=1)) for level, share in _LEVELS]
    return np.asarray(sum(sums, np.zeros(len(bpm))) / (total * size.sum()))

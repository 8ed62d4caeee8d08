"""Drums that are spread out, and which are copies of others."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.shape import BAND_HZ, BANDS
from ghostnote.bridge.inference.drum_table import Drum, DrumTable

Array = NDArray[np.float64]

_SOFTEST_DB: Final = -50.0
_OCTAVE_DB: Final = 6.0
"""An octave of decay time, or of pitch, counts as much as so many decibels."""
_PROMINENCE: Final = 0.5
_UNIT_HZ: Final = 100.0
_PITCH_WEIGHT: Final = 3.0
_KERNEL_DB: Final = 4.0
_LEAST: Final = 1e-30
_NEAR_PERCENT: Final = 10.0
"""So many drums have one of the same machine or kit beside them in a corpus, nearer than drums that differ are."""


def farthest_first(points: Array) -> Iterator[int]:
    """Yield the places of points (points, dimensions) from the first, each the farthest from all before it.

    The first k are spread at least half as well as any k of them can be (Gonzalez 1985).
    """
    if not len(points):
        return
    apart, at = np.full(len(points), np.inf), 0
    for _ in range(len(points)):
        yield at
        apart = np.minimum(apart, np.sqrt(np.mean(np.square(points - points[at]), axis=1)))
        apart[at] = -1.0
        at = int(apart.argmax())


def point_of(drum: Drum) -> Array:
    """Return a description as a point: levels, decays, how far lines stand out, and the pitch of the strongest."""
    pitch = _OCTAVE_DB * np.log2(main_hz(drum.level_db, drum.modes) / _UNIT_HZ)
    return np.concatenate([band_point(drum.level_db, drum.t60), _PROMINENCE * drum.prominence_db, [pitch]])


def main_hz(level_db: Array, modes: Array) -> float:
    """Return the frequency of the mode with the most energy, of modes (modes, 3); `_UNIT_HZ` without any."""
    own = modes[modes[:, 0] > 0]
    if not len(own):
        return _UNIT_HZ
    band = np.clip(np.searchsorted(BAND_HZ, own[:, 0], "right") - 1, 0, BANDS - 1)
    return float(own[int((level_db[band] + own[:, 1]).argmax()), 0])


def typicality(table: DrumTable, label: int, drums: Sequence[Drum]) -> Array:
    """Return for each drum how far those of a table that are described most alike are of class `label`, 0 to 1.

    It is the class's probability by kernel densities over levels, decays and pitch, all classes as probable before.
    """
    points, labels = _typical_points(table), table.label_array
    weights = 1 / np.bincount(labels)[labels]
    found = []
    for drum in drums:
        apart = np.square(points - _typical_point(drum.level_db, drum.t60, drum.modes)).mean(axis=1)
        chance = weights * np.exp(-apart / (2 * _KERNEL_DB**2))
        found.append(chance[labels == label].sum() / max(float(chance.sum()), _LEAST))
    return np.array(found)


@lru_cache(maxsize=2)
def _typical_points(table: DrumTable) -> Array:
    known = table.band_array.reshape(-1, 3, BANDS)
    modes = np.array(table.modes).reshape(len(known), -1, 3)
    return np.array([_typical_point(band[0], 2.0 ** band[1], own) for band, own in zip(known, modes, strict=True)])


def _typical_point(level_db: Array, t60: Array, modes: Array) -> Array:
    octave = np.log2(main_hz(level_db, modes) / _UNIT_HZ)
    return np.concatenate([band_point(level_db, t60), [_PITCH_WEIGHT * _OCTAVE_DB * octave]])


class TrainingDrums:
    """The drums of a class that a model was trained on, as far as its card describes them: levels and decays."""

    def __init__(self, table: DrumTable, label: int) -> None:
        """Take a model's table and a class; without two drums of it, nothing counts as a copy."""
        rows = [row for row, own in zip(table.bands, table.labels, strict=True) if own == label]
        bands = np.array(rows).reshape(-1, 3, BANDS)
        self._points = np.array([band_point(level, 2.0**octaves) for level, octaves, _ in bands]).reshape(-1, 2 * BANDS)
        self.limit_db = float(np.percentile(self._nearest_others(), _NEAR_PERCENT)) if len(rows) > 1 else 0.0
        """What lies nearer to one of them than all but a few of them lie to each other is a copy."""

    def distance(self, level_db: Array, t60: Array) -> float:
        """Return how far a description lies from the nearest of the drums, in dB; infinite where there is none."""
        apart = np.square(self._points - band_point(level_db, t60)).mean(axis=1)
        return float(np.sqrt(apart.min(initial=np.inf)))

    def has_copy(self, level_db: Array, t60: Array) -> bool:
        """Return whether a description, levels (BANDS,) and decay times (BANDS,), is a copy of one of them."""
        return self.distance(level_db, t60) < self.limit_db

    def _nearest_others(self) -> Array:
        points = self._points
        apart = np.sqrt(np.square(points[:, None] - points[None]).mean(axis=2))
        np.fill_diagonal(apart, np.inf)
        return np.asarray(apart.min(axis=1))


def band_point(level_db: Array, t60: Array) -> Array:
    """Return levels (BANDS,) in dB and decay times (BANDS,) in seconds as a point whose axes count alike."""
    return np.concatenate([np.maximum(level_db, _SOFTEST_DB), _OCTAVE_DB * np.log2(t60)])

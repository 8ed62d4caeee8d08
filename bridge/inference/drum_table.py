"""Descriptions of real drums, from which new ones are drawn; part of a model's card.

A new drum is one of the table, its description moved by the difference of two drums of one kind: a smoothed bootstrap
(Silverman 1986) whose kernel has the covariance of the drums, so that what goes together in them stays together. The
fewer drums a kind has, the wider the kernel, which is that of its whole class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.low_spectrum import LOW_HZ
from ghostnote.bridge.dsp.shape import BANDS, T60_SECONDS

Array = NDArray[np.float64]

MODES: Final = 6
"""Most modes of a drum: its strongest lines."""

_COLUMNS: Final = 3
_KERNEL: Final = (0.2, 0.6)
_PITCH_SPREAD: Final = 0.12
_RATIO_SPREAD: Final = 0.015
_SHARE_SPREAD_DB: Final = 2.0
_DECAY_SPREAD: Final = 0.2


@dataclass(frozen=True)
class Drum:
    """A drum in numbers."""

    level_db: Array
    """(BANDS,), levels of the bands beside the whole."""
    t60: Array
    """(BANDS,), decay times of the bands in seconds."""
    prominence_db: Array
    """(BANDS,), how far lines stand out in each; 0 where it has died away too soon to tell."""
    modes: Array
    """(modes, 3): frequency in Hz, share of its band's energy in dB, decay time in seconds."""
    low_db: Array | None = None
    """(LOW_HZ,), what surrounds its lines there, as `low_levels`; None where that was not measured."""

    def damped(self, longest: float) -> "Drum":
        """Return the drum with no decay time beyond `longest` seconds."""
        modes = np.column_stack([self.modes[:, :2], np.minimum(self.modes[:, 2], longest)])
        return replace(self, t60=np.minimum(self.t60, longest), modes=modes)


@dataclass(frozen=True)
class DrumTable:
    """Descriptions of drums; empty where nothing was measured."""

    kinds: tuple[str, ...] = ()
    """(drums,): names of `kinds.KINDS`, or '' where none fits."""
    labels: tuple[int, ...] = ()
    """(drums,): classes."""
    bands: tuple[tuple[float, ...], ...] = ()
    """(drums, 3 x BANDS): levels, binary logarithms of decay times, and prominence."""
    modes: tuple[tuple[float, ...], ...] = ()
    """(drums, 3 x MODES): as `Drum.modes`; frequency 0 where there is no mode."""
    low: tuple[tuple[float, ...], ...] = ()
    """(drums, LOW_HZ): as `Drum.low_db`; empty for a table of before."""

    @cached_property
    def band_array(self) -> Array:
        """`bands` as an array."""
        return np.array(self.bands).reshape(-1, _COLUMNS * BANDS)

    @cached_property
    def low_array(self) -> Array:
        """`low` as an array."""
        return np.array(self.low).reshape(-1, len(LOW_HZ))

    @cached_property
    def label_array(self) -> NDArray[np.intp]:
        """`labels` as an array."""
        return np.array(self.labels, np.intp)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "DrumTable":
        """Return the table of plain data; `ValueError` or `KeyError` where it is not one."""
        kinds, labels = tuple(map(str, data["kinds"])), tuple(map(int, data["labels"]))
        tables = []
        for name, width in (("bands", _COLUMNS * BANDS), ("modes", _COLUMNS * MODES), ("low", len(LOW_HZ))):
            # A table of before has no low levels.
            table = np.asarray(data.get("low", ()) if name == "low" else data[name], float).reshape(-1, width)
            known = len(table) == len(kinds) or (name == "low" and not len(table))
            if not known or not np.isfinite(table).all():
                raise ValueError(f"{name} is not a table of {len(kinds)} rows")
            tables.append(tuple(map(tuple, table.tolist())))
        if len(labels) != len(kinds):
            raise ValueError("labels are not as many as kinds")
        return DrumTable(kinds, labels, *tables)

    def draw(self, rng: np.random.Generator, label: int, kind: str | None = None) -> Drum | None:
        """Return a new drum of a class, or of a kind; None where the table has none."""
        of_class = np.flatnonzero(self.label_array == label)
        rows = np.array([i for i in of_class if kind is None or self.kinds[i] == kind], int)
        if not rows.size:
            return None
        table = self.band_array
        chosen = int(rng.choice(rows))
        width = float(np.clip(len(rows) ** (-1 / 6) * 0.6, *_KERNEL))
        pair = self._pair(rng, of_class)
        moved, low_db = (_moved_by(columns, chosen, pair, width) for columns in (table, self.low_array))
        level, octaves, prominence = moved.reshape(_COLUMNS, BANDS)
        known = table[chosen].reshape(_COLUMNS, BANDS)[2] > 0
        t60 = np.clip(2.0**octaves, *T60_SECONDS)
        modes = _moved_modes(rng, self.modes[chosen], width)
        return Drum(level, t60, np.where(known, np.maximum(prominence, 0), 0), modes, low_db if self.low else None)

    def _pair(self, rng: np.random.Generator, rows: Sequence[int] | NDArray[np.intp]) -> tuple[int, int] | None:
        """Return two drums of one kind; None where no kind has two."""
        groups: dict[str, list[int]] = {}
        for row in rows:
            groups.setdefault(self.kinds[row], []).append(int(row))
        paired = [group for group in groups.values() if len(group) > 1]
        if not paired:
            return None
        sizes = np.array([len(group) for group in paired], float)
        first, second = rng.permutation(paired[int(rng.choice(len(paired), p=sizes / sizes.sum()))])[:2].tolist()
        return first, second


def _moved_by(table: Array, row: int, pair: tuple[int, int] | None, width: float) -> Array:
    """Return a row of a table, moved by the difference of a pair of rows, over the root of 2."""
    if not len(table):
        return np.zeros(0)
    if pair is None:
        return np.array(table[row])
    return np.asarray(table[row] + width * (table[pair[0]] - table[pair[1]]) / np.sqrt(2))


def _moved_modes(rng: np.random.Generator, row: Sequence[float], width: float) -> Array:
    """Return modes (modes, 3) of a row of the table, moved at random: all in pitch, and each by itself."""
    modes = np.array(row).reshape(MODES, _COLUMNS)
    draws = rng.standard_normal((MODES, _COLUMNS))
    pitch = float(rng.standard_normal()) * _PITCH_SPREAD * width
    hz = modes[:, 0] * np.exp(pitch + _RATIO_SPREAD * draws[:, 0])
    share = np.minimum(modes[:, 1] + _SHARE_SPREAD_DB * draws[:, 1], 0)
    t60 = np.clip(modes[:, 2] * np.exp(_DECAY_SPREAD * draws[:, 2]), *T60_SECONDS)
    return np.stack([hz, share, t60], axis=1)[modes[:, 0] > 0]

"""Strokes of a drum beside each other, line by line.

A line is a peak of the spectrum of a hit's partials over the whole hit. Beside another stroke of the drum it has a gain
and a phase.
"""

from dataclasses import dataclass
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.attack import ATTACK_FRAMES
from ghostnote.bridge.dsp.partial_response import KNOTS_HZ, drum_features
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.dsp.mdct import RATE

Array = NDArray[np.float64]

_WINDOW: Final = 4096
_HOP: Final = 1024
_PAIRS_A_DRUM: Final = 12
_NEAR_DB: Final = 3.0
"""Pairs closer than this in level tell how repeats differ; pairs further apart, what level does."""
_LINE_DB: Final = 30.0
"""Lines down to this below a hit's strongest count."""
_NEIGHBOUR_DB: Final = 12.0
"""And down to this below the strongest line of their octave."""
_FURTHEST_DB: Final = 12.0
_OWN_SHARE: Final = 0.5
"""Least share of a line's power that belongs to the partials."""
_QUIET: Final = 1e-9


@dataclass(frozen=True)
class Strokes:
    """Spectra of the strokes of one drum, at one level."""

    whole: NDArray[np.complex64]
    """(strokes, windows, bins)."""
    partials: NDArray[np.complex64]
    label: int
    features: NDArray[np.float64]
    """(strokes, DRUM_FEATURES)."""
    peak_db: Array
    layers: tuple[str, ...]

    def are_repeats(self, first: int, second: int) -> bool:
        """Return whether two strokes are of one velocity layer."""
        return self.layers[first] == self.layers[second] and abs(self.difference_db(first, second)) < _NEAR_DB

    def are_apart(self, first: int, second: int) -> bool:
        """Return whether two strokes differ in level."""
        return abs(self.difference_db(first, second)) >= _NEAR_DB

    def difference_db(self, first: int, second: int) -> float:
        """Return how much louder the second stroke is."""
        return float(self.peak_db[second] - self.peak_db[first])


@dataclass(frozen=True)
class LinePair:
    """The lines of a stroke beside another one of its drum."""

    drum: int
    difference_db: float
    is_repeat: bool
    """Whether both are of one velocity layer."""
    knot: NDArray[np.intp]
    """(lines,), the nearest of `KNOTS_HZ`."""
    gain_db: Array
    """(lines,)."""
    turn: NDArray[np.complex128]
    """(lines,), the phase as a number of size 1."""

    def means(self) -> tuple[Array, Array]:
        """Return the mean gain of the lines at each knot (knots,), and their number."""
        counts = np.bincount(self.knot, minlength=len(KNOTS_HZ)).astype(float)
        sums = np.bincount(self.knot, self.gain_db, len(KNOTS_HZ))
        return sums / np.maximum(counts, 1), counts


def strokes_of(hits: HitSet, group: tuple[int, ...]) -> Strokes:
    """Return the strokes of one of the groups of `hits`."""
    index = list(group)
    whole, residual = hits.audio[index].numpy(), hits.residual[index].numpy()
    level = np.sqrt(np.square(whole[:, :ATTACK_FRAMES]).mean(axis=1, keepdims=True)) + _QUIET
    partials = whole - residual
    features = np.stack([drum_features(p[None], r[None]) for p, r in zip(partials, residual, strict=True)])
    label = int(hits.labels[index[0]])
    layers = tuple(hits.layers[i] for i in group)
    spectra = _spectra(whole / level), _spectra(partials / level)
    return Strokes(*spectra, label, features, hits.peak_db[index].numpy(), layers)


def _spectra(audio: NDArray[np.float32]) -> NDArray[np.complex64]:
    windows = np.lib.stride_tricks.sliding_window_view(audio, _WINDOW, axis=1)[:, ::_HOP]
    return np.fft.rfft(windows * np.hanning(_WINDOW).astype(np.float32)).astype(np.complex64)


def pairs_of(drum: int, strokes: Strokes, rng: np.random.Generator) -> list[LinePair]:
    """Return pairs of the strokes of a `drum`, repeats and others, both in either order."""
    chosen: list[LinePair] = []
    for wanted in (strokes.are_repeats, strokes.are_apart):
        ordered = [pair for pair in permutations(range(len(strokes.layers)), 2) if wanted(*pair)]
        if len(ordered) > _PAIRS_A_DRUM:
            ordered = [ordered[k] for k in rng.choice(len(ordered), _PAIRS_A_DRUM, replace=False)]
        chosen += [_pair(drum, strokes, i, j) for i, j in ordered]
    return chosen


def _pair(drum: int, strokes: Strokes, first: int, second: int) -> LinePair:
    x, p, y = strokes.whole[first], strokes.partials[first], strokes.whole[second]
    power = np.square(np.abs(p)).sum(axis=0)
    is_line = np.zeros(len(power), bool)
    is_line[2:-2] = (power[2:-2] > power[1:-3]) & (power[2:-2] >= power[3:-1])
    is_line &= power > 10 ** (-_LINE_DB / 10) * power.max()
    is_line &= power > _OWN_SHARE * np.square(np.abs(x)).sum(axis=0)
    hz = np.arange(len(power)) * (RATE / _WINDOW)
    is_line &= (hz > KNOTS_HZ[0] / 2) & (hz < KNOTS_HZ[-1] * 1.2)
    at = np.flatnonzero(is_line)
    knot = np.rint(np.clip(np.log2(hz[at] / KNOTS_HZ[0]), 0, len(KNOTS_HZ) - 1)).astype(int)
    strongest = np.zeros(len(KNOTS_HZ))
    np.maximum.at(strongest, knot, power[at])
    is_strong = power[at] > 10 ** (-_NEIGHBOUR_DB / 10) * strongest[knot]
    at, knot = at[is_strong], knot[is_strong]
    lobe = at[:, None] + np.arange(-1, 2)
    cross = (y[:, lobe] * p[:, lobe].conj()).sum(axis=(0, 2))
    of_other = np.square(np.abs(y[:, lobe])).sum(axis=(0, 2))
    gain_db = 10 * np.log10((of_other + _QUIET) / (power[lobe].sum(axis=1) + _QUIET))
    is_repeat = strokes.are_repeats(first, second)
    if is_repeat:
        gain_db = np.clip(gain_db, -_FURTHEST_DB, _FURTHEST_DB)
    turn = cross / (np.abs(cross) + _QUIET)
    return LinePair(drum, strokes.difference_db(first, second), is_repeat, knot, gain_db, turn)

"""How partials differ between strokes of a drum, measured line by line on pairs of them.

What lines of a pair have in common is separated from what is each line's own by their covariance.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.partial_response import DRUM_FEATURES, KNOTS_HZ, PartialStatistics
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.statistics.line_pairs import Array, LinePair, Strokes, pairs_of, strokes_of

_LEAST_LINES: Final = 30
_LEAST_TOGETHER: Final = 3
"""Lines of a pair at one knot, to tell each from their mean."""
_PRIOR_DRUMS: Final = 3.0
_RIDGE: Final = 5.0
_PRIOR_LINES: Final = 60.0
"""Lines of all classes that count in each class's phases."""
_NORMAL_MEDIAN: Final = 0.6745
"""Of the size of standard normal numbers."""
_FREE_PHASE: Final = 2.3
"""The deviation of a phase that may be any."""
_QUIET: Final = 1e-9
_ROWS: Final = len(CLASS_NAMES) + 1


def measure_partials(hits: HitSet, seed: int = 0) -> PartialStatistics:
    """Return the statistics of the partials in the groups of `hits`; without any pair, all deviation is 0."""
    rng = np.random.default_rng(seed)
    drums = [strokes_of(hits, group) for group in hits.groups]
    pairs = [pair for at, strokes in enumerate(drums) for pair in pairs_of(at, strokes, rng)]
    near = [pair for pair in pairs if pair.is_repeat and len(pair.knot)]
    shared, own_db = _covariance(near)
    own, of_own = _own_parts(near, own_db)
    phases = _phases(near, [drums[pair.drum].label for pair in near], of_own)
    class_factors, feature_factors = _factors(near, drums, shared.diagonal(), own_db)
    return PartialStatistics(
        _rounded(_root(shared)),
        _rounded(phases),
        tuple(own.round(4).tolist()),
        _rounded(class_factors),
        _rounded(feature_factors),
        _rounded(_slopes([pair for pair in pairs if not pair.is_repeat], drums)),
    )


def _covariance(pairs: list[LinePair]) -> tuple[Array, Array]:
    """Return the covariance (knots, knots) of gains that lines share, and the variance (knots,) of each line's own."""
    knots = len(KNOTS_HZ)
    weights = _weights(pairs)
    within, spare = np.zeros(knots), np.full(knots, _QUIET)
    cross, both = np.zeros((knots, knots)), np.full((knots, knots), _QUIET)
    centre = _centre(pairs, weights)
    for pair, weight in zip(pairs, weights, strict=True):
        means, counts = pair.means()
        within += weight * np.bincount(pair.knot, np.square(pair.gain_db - means[pair.knot]), knots)
        spare += weight * np.maximum(counts - 1, 0)
        present = counts > 0
        moved = np.where(present, means - centre, 0)
        cross += weight * np.outer(moved, moved)
        both += weight * np.outer(present, present)
    own = _filled(within / spare, spare > _LEAST_LINES * _mean(weights))
    of_chance = np.array([_mean(_counts(pairs, knot)) for knot in range(knots)])
    shared = cross / both
    shared[np.diag_indices(knots)] = np.maximum(shared.diagonal() - own / np.maximum(of_chance, 1), 0)
    return shared, own


def _weights(pairs: list[LinePair]) -> Array:
    """Return weights of the pairs by which every drum counts alike."""
    counts: dict[int, int] = defaultdict(int)
    for pair in pairs:
        counts[pair.drum] += 1
    return np.array([1 / counts[pair.drum] for pair in pairs])


def _centre(pairs: list[LinePair], weights: Array) -> Array:
    sums, counts = np.zeros(len(KNOTS_HZ)), np.full(len(KNOTS_HZ), _QUIET)
    for pair, weight in zip(pairs, weights, strict=True):
        means, found = pair.means()
        sums += weight * means
        counts += weight * (found > 0)
    centre: Array = sums / counts
    return centre


def _counts(pairs: list[LinePair], knot: int) -> list[float]:
    return [float(count) for pair in pairs if (count := int((pair.knot == knot).sum()))]


def _mean(values: "list[float] | Array") -> float:
    return float(np.mean(values)) if len(values) else 1.0


def _filled(values: Array, is_known: NDArray[np.bool_]) -> Array:
    """Return `values` (knots,), those that are not known from the nearest ones that are; 0 without any."""
    if not is_known.any():
        return np.zeros_like(values)
    return np.interp(np.arange(len(values)), np.flatnonzero(is_known), values[is_known])


def _root(covariance: Array) -> Array:
    """Return a matrix whose product with its transpose is `covariance`, as near as a positive one can be."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    root: Array = vectors * np.sqrt(np.maximum(values, 0))
    return root


def _own_parts(pairs: list[LinePair], own_db: Array) -> tuple[Array, Array]:
    """Return the amplitude (knots,) of each line's own part, and how far it spreads phases, in radians.

    The own part is a complex normal number beside 1. The amplitude lies between the one that spreads gains by `own_db`
    and the one that turns lines as far from the others of their pair as real ones, as no filter does both.
    """
    draws = np.random.default_rng(0).standard_normal((2, 20_000))
    tried = np.linspace(0, 3, 301)
    numbers = 1 + tried[:, None] * (draws[0] + 1j * draws[1]) / math.sqrt(2)
    spread_db = (20 * np.log10(np.abs(numbers) + _QUIET)).clip(-20, 20).std(axis=1)
    turned = np.median(np.abs(np.angle(numbers)), axis=1) / _NORMAL_MEDIAN
    by_gain = np.interp(np.sqrt(own_db), spread_db, tried)
    by_phase = np.interp(_deviation(_own_angles(pairs)), turned, tried)
    # Where no pair has lines enough to tell by the phase, by the gain alone.
    own = np.where(by_phase > 0, np.sqrt(by_gain * by_phase), by_gain)
    return own, np.interp(own, tried, turned)


def _own_angles(pairs: list[LinePair]) -> list[Array]:
    """Return for each knot how far lines are turned from the mean of their pair there, in radians."""
    found: list[list[float]] = [[] for _ in KNOTS_HZ]
    for pair in pairs:
        for knot, count in enumerate(np.bincount(pair.knot, minlength=len(KNOTS_HZ))):
            if count >= _LEAST_TOGETHER:
                turns = pair.turn[pair.knot == knot]
                angles = np.abs(np.angle(turns * turns.mean().conj()))
                found[knot] += (angles * math.sqrt(count / (count - 1))).tolist()
    return [np.array(angles) for angles in found]


def _phases(pairs: list[LinePair], labels: Sequence[int], of_own: Array) -> Array:
    """Return the deviation (_ROWS, knots) of the phases that lines of a pair share, by class."""
    rows = []
    overall = _deviation(_angles(pairs))
    for row in range(_ROWS):
        angles = _angles([pair for pair, label in zip(pairs, labels, strict=True) if label == row])
        counts = np.array([len(angle) for angle in angles])
        weight = counts / (counts + _PRIOR_LINES)
        rows.append(np.square(weight * _deviation(angles) + (1 - weight) * overall) - np.square(of_own))
    return np.sqrt(np.maximum(rows, 0))


def _angles(pairs: list[LinePair]) -> list[Array]:
    """Return for each knot how far lines are turned, in radians."""
    knots = range(len(KNOTS_HZ))
    return [np.array([a for p in pairs for a in np.abs(np.angle(p.turn[p.knot == knot]))]) for knot in knots]


def _deviation(angles: list[Array]) -> Array:
    """Return the standard deviation (knots,) of angles by their median, which a few drums do not move.

    Where there are few, that of the nearest knot.
    """
    found = [float(np.median(angle)) / _NORMAL_MEDIAN if len(angle) else 0.0 for angle in angles]
    return _filled(np.minimum(found, _FREE_PHASE), np.array([len(angle) > _LEAST_LINES for angle in angles]))


def _factors(pairs: list[LinePair], drums: list[Strokes], shared_db: Array, own_db: Array) -> tuple[Array, Array]:
    """Return logarithms by class (_ROWS, 2) and by feature (DRUM_FEATURES, 2) of how much more drums vary."""
    sums = {pair.drum: np.full((2, 2), _QUIET) for pair in pairs}
    for pair in pairs:
        means, counts = pair.means()
        expected = np.where(counts > 0, shared_db + own_db / np.maximum(counts, 1), 0)
        within = np.square(pair.gain_db - means[pair.knot]).sum()
        spare = (np.maximum(counts - 1, 0) * own_db).sum()
        sums[pair.drum] += [[np.square(means[counts > 0]).sum(), expected.sum()], [within, spare]]
    if not sums:
        return np.zeros((_ROWS, 2)), np.zeros((DRUM_FEATURES, 2))
    ratios = np.array([0.5 * np.log((found[:, 0] + 1) / (found[:, 1] + 1)) for found in sums.values()])
    features = np.array([drums[drum].features.mean(axis=0) for drum in sums])
    classes = np.array([drums[drum].label for drum in sums])
    centred = features - features.mean(axis=0)
    ridge = centred.T @ centred + _RIDGE * np.eye(DRUM_FEATURES)
    weights = np.linalg.solve(ridge, centred.T @ (ratios - ratios.mean(axis=0)))
    rest = ratios - features @ weights
    overall = rest.mean(axis=0)
    members = [rest[classes == row] for row in range(_ROWS)]
    rows = [overall + (own - overall).sum(axis=0) / (len(own) + _PRIOR_DRUMS) for own in members]
    return np.array(rows), weights


def _slopes(pairs: list[LinePair], drums: list[Strokes]) -> Array:
    """Return the change of gain at each knot a dB of level, (_ROWS, knots), the classes' drawn to that of all."""
    sums = np.zeros((_ROWS, 2, len(KNOTS_HZ)))
    for pair, weight in zip(pairs, _weights(pairs), strict=True):
        means, counts = pair.means()
        change = (
            weight * (counts > 0) * np.array([means * pair.difference_db, np.full_like(means, pair.difference_db**2)])
        )
        sums[drums[pair.drum].label] += change
        sums[-1] += change
    share = _PRIOR_DRUMS / max(1, len({pair.drum for pair in pairs}))
    sums[:-1] += share * sums[-1:]
    return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1.0))


def _rounded(table: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in table.round(4).tolist())

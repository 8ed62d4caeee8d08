"""Distances between two sets of hits, and confidence intervals over drums: numpy functions without state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESAMPLES: Final = 2000
_INTERVAL: Final = (2.5, 97.5)
_NEIGHBOURS: Final = 3


@dataclass(frozen=True)
class Estimate:
    """A statistic over groups with its 95 % confidence interval."""

    value: float
    low: float
    high: float
    groups: int
    """How many groups it is drawn from."""


def bootstrap(values: Sequence[float] | Array, statistic: str = "median") -> Estimate:
    """Return the median or mean of one value a group, its interval from groups drawn with replacement (Efron 1979).

    NaN and infinite values are left out; without any other, the estimate is NaN over 0 groups.
    """
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    low, high = np.percentile(_statistic(finite[_resampled(len(finite))], statistic), _INTERVAL)
    return Estimate(float(_statistic(finite[None], statistic)[0]), float(low), float(high), len(finite))


def bootstrap_ratio(numerators: Sequence[float] | Array, denominators: Sequence[float] | Array) -> Estimate:
    """Return the ratio of the sums of two values a group, its interval from groups drawn with replacement.

    Without any group it is NaN.
    """
    above, below = np.asarray(numerators, float), np.asarray(denominators, float)
    if not len(above):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    draws = _resampled(len(above))
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = np.nanpercentile(above[draws].sum(axis=1) / below[draws].sum(axis=1), _INTERVAL)
        return Estimate(float(above.sum() / below.sum()), float(low), float(high), len(above))


def _resampled(count: int) -> NDArray[np.int64]:
    """Return the places of groups drawn with replacement, (RESAMPLES, count)."""
    return np.random.default_rng(0).integers(count, size=(RESAMPLES, count))


def frechet_distance(a: Array, b: Array) -> float:
    """Return the squared 2-Wasserstein distance of Gaussians fitted to `a` and `b`, both (hits, dimensions).

    Heusel et al. 2017. At least two hits each; `ValueError` for fewer.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a Gaussian is fitted to two hits or more, not to {min(len(a), len(b))}")
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    # tr sqrt(Ca·Cb) through the symmetric root of Ca: real, and quiet for singular covariances.
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    means = np.square(a.mean(0) - b.mean(0)).sum()
    return float(means + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def precision_recall(real: Array, made: Array, neighbours: int = _NEIGHBOURS) -> tuple[float, float]:
    """Return precision, the share of `made` among `real`, and recall, that of `real` among `made`.

    By nearest neighbours (Kynkäänniemi et al. 2019). Both are (hits, dimensions); `ValueError` without more than
    `neighbours` hits in each.
    """
    if min(len(real), len(made)) <= neighbours:
        raise ValueError(f"each set needs more than {neighbours} hits, and one has {min(len(real), len(made))}")
    between = _distances(real, made)
    return (
        float((between <= _radii(real, neighbours)[:, None]).any(0).mean()),
        float((between <= _radii(made, neighbours)[None]).any(1).mean()),
    )


def nearest_to_one(amounts: Sequence[float], ratios: Sequence[float]) -> float:
    """Return the amount at which the diversity ratio passes 1, between the amounts that were tried.

    The last crossing from below counts; without one, it is the amount whose ratio is nearest to 1.
    """
    x, y = np.asarray(amounts, float), np.log(np.asarray(ratios, float))
    finite = np.isfinite(y)
    x, y = x[finite], y[finite]
    if not len(x):
        raise ValueError("every ratio is NaN: there is nothing to calibrate from")
    crossings = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
    if not len(crossings):
        return float(x[np.abs(y).argmin()])
    i = crossings[-1]
    return float(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i]))


def calibrate_amounts(
    amounts: Sequence[float], ratios: Mapping[str, Sequence[Sequence[float]]], prior: float = 3.0
) -> dict[str, float]:
    """Return the amount for each class at which its hits are as diverse as a drummer's, and for all under ''.

    `ratios` holds, by class, one row a group: the diversity ratio at each of the amounts. A class's mean
    log ratio is drawn towards the median of all groups, as if that were `prior` groups more: a few groups say little.
    """
    logs = {name: np.log(np.asarray(rows, float)) for name, rows in ratios.items() if len(rows)}
    if not logs:
        raise ValueError("there is no group of any class to calibrate from")
    overall = np.nanmedian(np.concatenate(list(logs.values())), axis=0)
    curves = {
        name: (np.nansum(rows, axis=0) + prior * overall) / (np.isfinite(rows).sum(0) + prior)
        for name, rows in logs.items()
    }
    return {
        name: round(nearest_to_one(amounts, np.exp(curve).tolist()), 3)
        for name, curve in {**curves, "": overall}.items()
    }


def _statistic(rows: Array, name: str) -> Array:
    """Return the median or mean of each row."""
    return np.asarray(np.median(rows, axis=1) if name == "median" else np.mean(rows, axis=1))


def _distances(a: Array, b: Array) -> Array:
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T
    return np.asarray(np.sqrt(squares.clip(0)))


def _radii(x: Array, neighbours: int) -> Array:
    """Return each hit's distance to its `neighbours`-th nearest other one."""
    return np.asarray(np.sort(_distances(x, x), axis=1)[:, neighbours])

"""From measures of pairs to figures over groups: spread, bias, and how often the judges were right."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ghostnote.models.dsp.metrics import BALANCE, SPECTRAL, compare, distances_to, log_mel
from ghostnote.models.evaluate.distributions import Figure, bootstrap

Measures = Mapping[str, NDArray[np.float64]]
"""What `measure_pairs` returns."""
ByGroup = Mapping[str, float]
"""One value a group."""

RATIOS: Final = (*SPECTRAL, "centroid_percent", "t20_percent", "level_db")
"""Spread as a ratio to that of real strokes."""
DIFFERENCES: Final = ("correlation", "onset_ms")
"""Spread beside that of real strokes: an onset hardly moves at all, so that a ratio of it says nothing."""
BIASES: Final = ("centroid_percent", "t20_percent", "level_db", *BALANCE)
"""What has a sign, and should be nought on average."""
_CHUNK: Final = 64


def measure_pairs(a: Tensor, b: Tensor) -> dict[str, NDArray[np.float64]]:
    """Return `metrics.compare` of many pairs (pairs, HIT_FRAMES), in parts that fit the memory."""
    parts = [compare(x, y) for x, y in zip(torch.split(a, _CHUNK), torch.split(b, _CHUNK), strict=True)]
    return {name: torch.cat([part[name] for part in parts]).double().numpy() for name in parts[0]}


def by_group(
    values: NDArray[np.float64], groups: Sequence[str], statistic: Callable[..., float] = np.median
) -> dict[str, float]:
    """Return a statistic of each group's values that are numbers; NaN for a group without any."""
    names = np.asarray(groups)
    found = {}
    for name in sorted(set(groups)):
        known = values[(names == name) & np.isfinite(values)]
        found[name] = float(statistic(known)) if len(known) else float("nan")
    return found


def spreads(measures: Measures, groups: Sequence[str]) -> dict[str, ByGroup]:
    """Return by how much pairs differ, as each group's median, keyed by RATIOS and DIFFERENCES."""
    return {
        name: by_group(values if name == "correlation" else np.abs(values), groups)
        for name, values in measures.items()
        if name in (*RATIOS, *DIFFERENCES)
    }


def beside_real(made: Mapping[str, ByGroup], real: Mapping[str, ByGroup]) -> dict[str, ByGroup]:
    """Return the spread of made pairs over that of real ones in each group: ratios, and plain differences."""
    ratios: dict[str, ByGroup] = {
        name: {g: made[name][g] / real[name][g] if real[name][g] > 0 else float("nan") for g in made[name]}
        for name in RATIOS
    }
    return ratios | {name: {g: made[name][g] - real[name][g] for g in made[name]} for name in DIFFERENCES}


def biases(measures: Measures, groups: Sequence[str]) -> dict[str, ByGroup]:
    """Return how pairs differ on the whole with the sign, as each group's median, keyed by BIASES."""
    return {name: by_group(measures[name], groups) for name in BIASES}


def over_groups(
    values: ByGroup, class_of: Mapping[str, str], statistic: str = "median", seed: int = 0
) -> dict[str, Figure]:
    """Return a figure for each class and, under 'all', for all groups."""
    classes = {"all": list(values)}
    for group in values:
        classes.setdefault(class_of[group], []).append(group)
    return {
        name: bootstrap([values[group] for group in members], statistic, seed)
        for name, members in classes.items()
    }


def own_drum(
    queries: Tensor, origins: Sequence[int], groups: Sequence[str], hits: Tensor, hit_groups: Sequence[str]
) -> NDArray[np.float64]:
    """Return for each of `queries` (queries, HIT_FRAMES) 1 where the nearest of `hits` is of its own drum, else 0.

    `origins` is the hit that each query is or was made from, which is left out of the hits that it is held against.
    """
    gallery = torch.cat([log_mel(part) for part in torch.split(hits, _CHUNK)])
    power = torch.cat([log_mel(part) for part in torch.split(queries, _CHUNK)])
    distances = distances_to(power, gallery)
    distances[torch.arange(len(queries)), torch.tensor(origins)] = torch.inf
    nearest = distances.argmin(1).tolist()
    return np.array([float(hit_groups[i] == group) for i, group in zip(nearest, groups, strict=True)])

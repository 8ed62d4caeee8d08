"""From measures of pairs to estimates over drums: diversity, bias and retrieval accuracy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ghostnote.models.dsp.metrics import BALANCE, SPECTRAL, compare, distances_to, log_mel
from ghostnote.models.evaluate.distributions import bootstrap

Measures = Mapping[str, NDArray[np.float64]]
"""What `measure_pairs` returns."""
ByGroup = Mapping[str, float]
"""One value for each group."""

RATIOS: Final = (*SPECTRAL, "centroid_percent", "t20_percent", "attack_db", "level_db")
"""Measures whose diversity is a ratio to that of real strokes."""
DIFFERENCES: Final = ("correlation", "onset_ms")
"""Measures whose diversity is a difference from that of real strokes; an onset moves too little for a ratio."""
BIASES: Final = ("centroid_percent", "t20_percent", "attack_db", "level_db", *BALANCE)
"""Measures with a sign, which should be 0 on average."""
CHUNK: Final = 64
"""Hits that are measured at once, to fit the memory."""


def measure_pairs(a: Tensor, b: Tensor) -> dict[str, NDArray[np.float64]]:
    """Return `metrics.compare` of many pairs (pairs, HIT_FRAMES), in parts that fit the memory."""
    parts = [compare(x, y) for x, y in zip(torch.split(a, CHUNK), torch.split(b, CHUNK), strict=True)]
    return {name: torch.cat([part[name] for part in parts]).double().numpy() for name in parts[0]}


def by_group(
    values: NDArray[np.float64], groups: Sequence[str], statistic: Callable[..., float] = np.median
) -> dict[str, float]:
    """Return a statistic of each group's finite values; NaN for a group without any."""
    names = np.asarray(groups)
    found = {}
    for name in sorted(set(groups)):
        finite = values[(names == name) & np.isfinite(values)]
        found[name] = float(statistic(finite)) if len(finite) else float("nan")
    return found


def diversity(measures: Measures, groups: Sequence[str]) -> dict[str, ByGroup]:
    """Return how much pairs differ, as each group's median, keyed by RATIOS and DIFFERENCES."""
    return {
        name: by_group(values if name == "correlation" else np.abs(values), groups)
        for name, values in measures.items()
        if name in (*RATIOS, *DIFFERENCES)
    }


def beside_real(made: Mapping[str, ByGroup], real: Mapping[str, ByGroup]) -> dict[str, ByGroup]:
    """Return the diversity ratio of made to real pairs in each group, and for DIFFERENCES the difference."""
    ratios: dict[str, ByGroup] = {
        name: {g: made[name][g] / real[name][g] if real[name][g] > 0 else float("nan") for g in made[name]}
        for name in RATIOS
    }
    return ratios | {name: {g: made[name][g] - real[name][g] for g in made[name]} for name in DIFFERENCES}


def biases(measures: Measures, groups: Sequence[str]) -> dict[str, ByGroup]:
    """Return how pairs differ on the whole with the sign, as each group's median, keyed by BIASES."""
    return {name: by_group(measures[name], groups) for name in BIASES}


def over_groups(values: ByGroup, class_of: Mapping[str, str], statistic: str = "median") -> dict[str, dict[str, Any]]:
    """Return an estimate, as plain data, for each class and under 'all' for all groups."""
    classes = {"all": list(values)}
    for group in values:
        classes.setdefault(class_of[group], []).append(group)
    return {
        name: asdict(bootstrap([values[group] for group in members], statistic)) for name, members in classes.items()
    }


def measures_over_groups(
    measures: Mapping[str, ByGroup], class_of: Mapping[str, str]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return `over_groups` of every measure."""
    return {name: over_groups(values, class_of) for name, values in measures.items()}


def retrieval_accuracy(
    queries: Tensor, origins: Sequence[int], groups: Sequence[str], hits: Tensor, hit_groups: Sequence[str]
) -> NDArray[np.float64]:
    """Return 1 for each of `queries` (queries, HIT_FRAMES) whose nearest hit is of its own drum, and 0 for others.

    `origins` holds the hit that each query is or was made from; the search leaves it out.
    """
    gallery = torch.cat([log_mel(part) for part in torch.split(hits, CHUNK)])
    power = torch.cat([log_mel(part) for part in torch.split(queries, CHUNK)])
    distances = distances_to(power, gallery)
    distances[torch.arange(len(queries)), torch.tensor(origins)] = torch.inf
    nearest = distances.argmin(1).tolist()
    return np.array([float(hit_groups[i] == group) for i, group in zip(nearest, groups, strict=True)])

"""The classifier two-sample test (C2ST, Lopez-Paz & Oquab 2017): do made strokes differ from real ones?

A logistic regression and a small network classify pairs of a reference and another stroke by what differs within
the pair. They are trained on some drums and tested on others. An accuracy of 0.5 means that they find no
difference.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS, group_map, segment_map
from ghostnote.models.dsp.mdct import mdct
from ghostnote.models.dsp.metrics import MEASURES, align, audible_difference, compare, decibels, log_mel

FOLDS: Final = 6
_MEL_EDGES: Final = (0, 4, 8, 12, 16, 21, 26, 32, 38, 45, 54, 64)
_FRAME_EDGES: Final = (0, 2, 4, 8, 16, 32, 64, 130)
_COARSE: Final = 2
_SCALARS: Final = 2 * len(MEASURES)
_CELLS: Final = 4 * (len(_MEL_EDGES) - 1) * (len(_FRAME_EDGES) - 1)
FAMILIES: Final = {
    "measures": slice(0, _SCALARS),
    "spectrum": slice(_SCALARS, _SCALARS + _CELLS),
    "waveform": slice(_SCALARS + _CELLS, None),
}
"""Which columns of the features belong to which kind."""
_PASSES: Final = 160
_ENSEMBLE: Final = 2


@dataclass(frozen=True)
class C2STResult:
    """How the better classifier did on pairs that it was not trained on."""

    correct: NDArray[np.float64]
    """(pairs,): the share of its networks that classified the pair correctly."""
    classifier: str
    """Which classifier that is."""


def pair_features(reference: Tensor, other: Tensor, measures: Mapping[str, Tensor] | None = None) -> Tensor:
    """Return what differs between hits (pairs, HIT_FRAMES) and their references, (pairs, features).

    Every measure of `metrics.compare` (which may be given); log-mel differences and their size and roughness by
    band and time; the correlation of the waveforms by band and time, and how sparse the coefficients are beside
    the reference's. `FAMILIES` says which columns are which.
    """
    measures = compare(reference, other) if measures is None else measures
    scalars = torch.stack([measures[name] for name in MEASURES], dim=1).nan_to_num()
    return torch.cat([scalars, scalars.abs(), smooth_features(reference, other)], dim=1)


def smooth_features(reference: Tensor, other: Tensor) -> Tensor:
    """Return the features of `pair_features` without the measures: what has a gradient in `other`."""
    moved = align(reference, other)
    spectral = _spectral_features(log_mel(reference), log_mel(moved))
    return torch.cat([spectral, _waveform_features(reference, moved)], dim=1)


def c2st(features: Tensor, is_made: Tensor, groups: Sequence[str], seed: int = 0) -> C2STResult:
    """Return how well classifiers tell made pairs from real ones, of groups that they were not trained on.

    `features` (pairs, features), `is_made` (pairs,). Both kinds of pairs have the same weight, and so have all
    groups. `ValueError` for fewer than two groups.
    """
    folds = torch.tensor(_folds(groups, seed))
    weight = pair_weights(is_made, groups)
    correct = {name: np.zeros(len(groups)) for name in _CLASSIFIERS}
    for fold in sorted(set(folds.tolist())):
        tested, trained = folds == fold, folds != fold
        mean, std = features[trained].mean(0), features[trained].std(0).clamp_min(1e-4)
        x = ((features - mean) / std).clamp(-5, 5)
        for name, shape in _CLASSIFIERS.items():
            votes = _votes(x[trained], is_made[trained], weight[trained], x[tested], shape, seed)
            correct[name][tested.numpy()] = (votes == is_made[tested]).float().mean(0).numpy()
    best = max(correct, key=lambda name: float((correct[name] * weight.numpy()).sum()))
    return C2STResult(correct[best], best)


def _folds(groups: Sequence[str], seed: int) -> list[int]:
    names = sorted(set(groups))
    if len(names) < 2:
        raise ValueError(f"a classifier is trained on one group and tested on another, but there is {len(names)}")
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = {names[place]: i % min(FOLDS, len(names)) for i, place in enumerate(order)}
    return [fold_of[group] for group in groups]


def pair_weights(is_made: Tensor, groups: Sequence[str]) -> Tensor:
    """Return weights (pairs,) of sum 1, the same for each group and, within it, for each kind."""
    keys = [(group, bool(made)) for group, made in zip(groups, is_made.tolist(), strict=True)]
    counts = {key: keys.count(key) for key in set(keys)}
    weight = torch.tensor([1 / counts[key] for key in keys])
    return weight / weight.sum()


_CLASSIFIERS: Final[dict[str, tuple[int, float, float]]] = {
    "logistic regression": (0, 0.05, 0.0),
    "network": (48, 0.02, 0.3),
}
"""Hidden units, weight decay and dropout of each classifier."""


def _spectral_features(power_a: Tensor, power_b: Tensor) -> Tensor:
    top = torch.maximum(power_a.amax((1, 2)), power_b.amax((1, 2)))
    difference, audible = audible_difference(power_a, power_b)
    a, b = (decibels(power, top) * audible for power in (power_a, power_b))
    rough_a, rough_b = (torch.diff(x, dim=2, prepend=x[:, :, :1]).abs() for x in (a, b))
    uneven_a, uneven_b = (torch.diff(x, dim=1, prepend=x[:, :1]).abs() for x in (a, b))
    maps = torch.stack([difference, difference.abs(), rough_b - rough_a, uneven_b - uneven_a], dim=1)
    bands, spans = _spans(_MEL_EDGES, a.device), _spans(_FRAME_EDGES, a.device)
    sums = bands @ maps @ spans.t()
    counts = bands @ audible[:, None] @ spans.t()
    return (sums / (counts + 1)).flatten(1)


def _waveform_features(a: Tensor, b: Tensor) -> Tensor:
    """Return correlations of MDCT coefficients, and how much sparser b's are, by band and time."""
    x, y = mdct(a), mdct(b)
    groups, segments = group_map(a.device), segment_map(a.device)
    cross, xx, yy, ax, ay = groups @ torch.stack([x * y, x * x, y * y, x.abs(), y.abs()]) @ segments.t()
    floor = 1e-7 * xx.amax((1, 2), keepdim=True)
    rho = cross / ((xx + floor) * (yy + floor)).sqrt()
    target_sparsity = ay.square() / (yy + floor) - ax.square() / (xx + floor)
    counts = groups.sum(1)[:, None] * segments.sum(1)[None]
    coarse = (target_sparsity / counts).unflatten(1, (GROUPS // _COARSE, _COARSE)).mean(2)
    return torch.cat([rho.flatten(1), coarse.reshape(len(a), GROUPS // _COARSE * SEGMENTS)], dim=1)


def _spans(edges: tuple[int, ...], device: torch.device) -> Tensor:
    place = torch.arange(edges[-1], device=device)
    spans = itertools.pairwise(edges)
    return torch.stack([(place >= start) & (place < end) for start, end in spans]).float()


def _votes(
    x: Tensor, is_made: Tensor, weight: Tensor, tested: Tensor, shape: tuple[int, float, float], seed: int
) -> Tensor:
    """Train networks on `x` and return what each says of `tested`, (networks, pairs) bool: whether it is made."""
    hidden, decay, dropout = shape
    target, votes = is_made.float(), []
    for member in range(_ENSEMBLE if hidden else 1):
        with torch.random.fork_rng(), torch.enable_grad():
            torch.manual_seed(seed + member)
            network = _network(x.shape[1], hidden, dropout)
            optimiser = torch.optim.AdamW(
                network.parameters(), lr=1e-2 if not hidden else 3e-3, weight_decay=decay * 10
            )
            for _ in range(_PASSES):
                loss = nn.functional.binary_cross_entropy_with_logits(
                    network(x)[:, 0], target, weight * len(weight), reduction="mean"
                )
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
        network.eval()
        with torch.no_grad():
            votes.append(network(tested)[:, 0] > 0)
    return torch.stack(votes)


def _network(features: int, hidden: int, dropout: float) -> nn.Module:
    if not hidden:
        return nn.Linear(features, 1)
    return nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 1))

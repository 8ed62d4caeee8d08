"""Corpus statistics: what strokes of one drum share and how level changes them, measured from pairs of strokes.

Each table has a row for every drum class and a last one over all classes, used for a class that is rare in the
corpus and for a hit of unknown class.
"""

import math
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.attack import ATTACK_FRAMES
from ghostnote.models.data.dataset import HitSet
from ghostnote.models.dsp.decomposition import (
    GROUPS,
    SEGMENTS,
    cell_db,
    envelope,
    envelope_to_segments,
    group_map,
    loudness,
    scale,
    segment_map,
)
from ghostnote.models.dsp.mdct import analyse, mdct, to_peak
from ghostnote.models.dsp.metrics import describe
from ghostnote.models.dsp.noise_shaping import line_power
from ghostnote.models.statistics.repeatability import (
    COHERENCE_LIMIT,
    FURTHEST_DB,
    DrumStatistics,
    Repeatability,
    fit_repeatability,
    repeatability_features,
)

_PAIRS_A_GROUP = 60
_NEAR_DB = 3.0
"""Pairs closer than this in level are repeats: repeatability is measured on them."""
_AUDIBLE = 0.02
"""Loudness (-68 dB) above which a cell counts for coherence."""
_PRIOR = 0.3
"""Weight of the row over all classes in each class's row, in groups."""
_MOST_ATTACK_DB = 2.0
"""Of few pedal hats, some are struck and some are clapped shut: four times as far apart as anything else."""
_SILENCE = 1e-12


@dataclass(frozen=True)
class CorpusStatistics:
    """The measured statistics; tables have a row each for the classes and one for all."""

    repeatability: Repeatability
    """Coherence and spectral deviation of strokes at one level, by their drum's features."""
    coherence_decay_db: float
    """Level difference over which coherence falls to 1/e."""
    slopes: Tensor
    """(classes + 1, GROUPS, SEGMENTS): change of the log envelope beside the peak, for each dB of level."""
    level_spread_db: Tensor
    """(classes + 1,): standard deviation of the peak level of strokes meant to be alike."""
    attack_spread_db: Tensor
    """(classes + 1,): that of how two of them differ in the energy of the first 5 ms beside that of 100 ms."""


@dataclass(frozen=True)
class PairStatistics:
    """What is measured of two strokes of one drum."""

    label: int
    weight: float
    difference_db: float
    powers: Tensor
    """(3, GROUPS, SEGMENTS): cross power and both powers, each cell scaled by its envelope."""
    envelope_change: Tensor
    """(GROUPS, SEGMENTS), mean change of the log envelope."""
    spectral_deviation_db: Tensor
    """(GROUPS, SEGMENTS), change of the cells' power, at one level of the first 60 ms."""
    features: Tensor
    """(FEATURES,), those of the first stroke."""


def measure_statistics(hits: HitSet, seed: int = 0) -> CorpusStatistics:
    """Measure the statistics from the groups of `hits` (on the CPU)."""
    by_drum = [_pairs(hits, group, np.random.default_rng(seed)) for group in hits.groups]
    rows = len(CLASS_NAMES) + 1
    near, far = torch.zeros(3), torch.zeros(3)
    slopes = torch.zeros(rows, 2, GROUPS, SEGMENTS)
    far_db, far_weight = 0.0, 1e-9
    for pair in chain.from_iterable(by_drum):
        squares = torch.full((GROUPS, SEGMENTS), pair.difference_db**2)
        change = torch.stack([pair.difference_db * pair.envelope_change, squares])
        for row in (pair.label, -1):
            slopes[row] += pair.weight * change
        powers = pair.weight * pair.powers.sum((1, 2))
        if _is_near(pair):
            near += powers
        if 2 * _NEAR_DB < abs(pair.difference_db) < 8 * _NEAR_DB:
            far += powers
            far_db, far_weight = far_db + pair.weight * abs(pair.difference_db), far_weight + pair.weight
    slopes = _with_prior(slopes, len(hits.groups))
    attenuation = float(_correlation(far) / _correlation(near))
    decay_db = far_db / far_weight / -np.log(min(max(attenuation, 0.05), 0.95))
    drums = [drum for pairs in by_drum if (drum := _drum_statistics(pairs))]
    return CorpusStatistics(
        fit_repeatability(drums),
        float(decay_db) if far_db else float("inf"),
        slopes[:, 0] / slopes[:, 1].clamp_min(1e-6),
        _spread(hits, hits.peak_db),
        (_spread(hits, describe(hits.audio).attack_db) * math.sqrt(2)).clamp(max=_MOST_ATTACK_DB),
    )


@dataclass(frozen=True)
class Fold:
    """Some drums, and how the regression fitted without them differs from that of all drums."""

    groups: tuple[int, ...]
    """Places in the groups of a set."""
    weight: Tensor
    """(FEATURES, TARGETS), less that of all drums."""
    bias: Tensor
    """(TARGETS,), less that of all drums."""


def cross_fit(hits: HitSet, folds: int, seed: int = 0) -> list[Fold]:
    """Return the groups of `hits` in up to `folds` parts, each with the regression fitted to all other groups.

    On the drums that it was fitted to, a prediction is better than on new ones; these are as on new ones.
    """
    drums = [_drum_statistics(_pairs(hits, group, np.random.default_rng(seed))) for group in hits.groups]
    order = np.random.default_rng(seed).permutation(len(drums)).tolist()
    whole = fit_repeatability([drum for drum in drums if drum])
    parts = []
    for first in range(min(folds, len(order))):
        part = tuple(order[first::folds])
        others = [drum for at, drum in enumerate(drums) if drum and at not in part]
        fitted = fit_repeatability(others) if others else whole
        parts.append(Fold(part, fitted.weight - whole.weight, fitted.bias - whole.bias))
    return parts


def _drum_statistics(pairs: list[PairStatistics]) -> DrumStatistics | None:
    """Return what is measured of a drum's repeats, None where it has none."""
    near = list(filter(_is_near, pairs))
    return _mean_of_pairs(near) if near else None


def _is_near(pair: PairStatistics) -> bool:
    return abs(pair.difference_db) < _NEAR_DB


def _mean_of_pairs(pairs: list[PairStatistics]) -> DrumStatistics:
    """Return the means over the near pairs of a drum."""
    powers = torch.stack([pair.powers for pair in pairs]).sum(0)
    return DrumStatistics(
        torch.stack([pair.features for pair in pairs]).mean(0),
        _correlation(powers).clamp(0, COHERENCE_LIMIT),
        torch.stack([pair.spectral_deviation_db for pair in pairs]).clamp(-FURTHEST_DB, FURTHEST_DB),
    )


def _pairs(hits: HitSet, group: tuple[int, ...], rng: np.random.Generator) -> list[PairStatistics]:
    """Return pairs of strokes of one group, in both orders, with a total weight of 1."""
    index = torch.tensor(group)
    x = hits.residual[index]
    y = analyse(to_peak(x))
    log_envelope = envelope(y)
    q, loud = y / scale(log_envelope), loudness(log_envelope)
    groups, segments = group_map(y.device), segment_map(y.device)
    mean_envelope = envelope_to_segments(log_envelope)
    attack_db = 10 * (x[:, :ATTACK_FRAMES].square().mean(1) + _SILENCE).log10()
    power_db = cell_db(mdct(x)) - attack_db[:, None, None]
    features = repeatability_features(line_power(q), log_envelope, hits.labels[index])
    peak_db = hits.peak_db[index].tolist()
    ordered = [(i, j) for i in range(len(group)) for j in range(len(group)) if i != j]
    if len(ordered) > _PAIRS_A_GROUP:
        ordered = [ordered[k] for k in rng.choice(len(ordered), _PAIRS_A_GROUP, replace=False)]
    found = []
    for i, j in ordered:
        audible = ((loud[i] > _AUDIBLE) & (loud[j] > _AUDIBLE)).float()
        powers = groups @ (torch.stack([q[i] * q[j], q[i] ** 2, q[j] ** 2]) * audible) @ segments.t()
        found.append(
            PairStatistics(
                int(hits.labels[index[0]]),
                1 / len(ordered),
                peak_db[j] - peak_db[i],
                powers,
                mean_envelope[j] - mean_envelope[i],
                power_db[j] - power_db[i],
                features[i],
            )
        )
    return found


def _correlation(powers: Tensor) -> Tensor:
    cross, first, second = powers
    correlation: Tensor = cross / (first * second).sqrt().clamp_min(1e-6)
    return correlation


def _with_prior(sums: Tensor, groups: int) -> Tensor:
    """Add a share of a mean group of all classes to every class's row."""
    return torch.cat([sums[:-1] + _PRIOR / max(groups, 1) * sums[-1:], sums[-1:]])


def _spread(hits: HitSet, values_db: Tensor) -> Tensor:
    """Return the median spread of `values_db` (hits,) within velocity layers of at least three strokes."""
    spreads: dict[int, list[float]] = {}
    for group in hits.groups:
        by_layer: dict[str, list[float]] = {}
        for i in group:
            by_layer.setdefault(hits.layers[i], []).append(float(values_db[i]))
        for layer, values in by_layer.items():
            if layer and len(values) >= 3:
                for row in (int(hits.labels[group[0]]), len(CLASS_NAMES)):
                    spreads.setdefault(row, []).append(float(np.std(values, ddof=1)))
    overall = float(np.median(spreads.get(len(CLASS_NAMES), [0.0])))
    return torch.tensor([float(np.median(spreads.get(row, [overall]))) for row in range(len(CLASS_NAMES) + 1)])

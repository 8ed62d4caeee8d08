"""Velocity: a soft, medium or hard stroke made from one of another velocity, held against the real ones."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.dsp.metrics import Description, describe
from ghostnote.models.evaluate.player import Player, Tick
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.spread import by_group, measure_pairs, over_groups

_LEAST_DB: Final = 3.0
"""Velocities that lie closer say nothing."""
_TRUE_STROKES: Final = 3


@dataclass(frozen=True)
class Ask:
    """One reference, and the real strokes of the velocity that is asked for."""

    group: str
    reference: int
    targets: tuple[int, ...]
    difference_db: float
    """How much louder the targets are, by the median of their peaks."""


def asks_of(trials: TrialSet, peak_db: Sequence[float], references: int, seed: int = 0) -> tuple[Ask, ...]:
    """Return what is asked: between the softest, a middle and the hardest velocity of each group, both ways."""
    rng = np.random.default_rng(seed)
    asks = []
    for group in trials.groups:
        layers = [group.layers[i] for i in sorted({0, len(group.layers) // 2, len(group.layers) - 1})]
        for a, layer in enumerate(layers):
            for b, targets in enumerate(layers):
                level = float(np.median([peak_db[i] for i in targets]))
                for reference in rng.permutation(layer)[:references] if a != b else ():
                    difference_db = level - peak_db[reference]
                    if abs(difference_db) >= _LEAST_DB:
                        chosen = tuple(int(i) for i in rng.permutation(targets)[:_TRUE_STROKES])
                        asks.append(Ask(group.name, int(reference), chosen, difference_db))
    return tuple(asks)


def velocity(player: Player, trials: TrialSet, settings: EvaluationSettings, tick: Tick) -> dict[str, Any]:
    """Return how far made strokes are from the true velocity, beside the reference scaled in level.

    Distances are level-free log-mel ones; slopes are in % for 10 dB, over all asks of a group.
    """
    hits = trials.hits.audio
    described = describe(hits)
    asks = asks_of(trials, described.peak_db.tolist(), settings.velocity_references, settings.seed)
    if not asks:
        return {"asks": 0}
    class_of = {group.name: group.drum_class for group in trials.groups}
    references = hits[[ask.reference for ask in asks]]
    labels = [player.generator.card.classes.index(class_of[ask.group]) for ask in asks]
    made = player.struck(
        references, labels, [ask.difference_db for ask in asks], steps=settings.steps, tick=tick
    )
    rows = [(i, target) for i, ask in enumerate(asks) for target in ask.targets]
    asked, targets = [i for i, _ in rows], hits[[target for _, target in rows]]
    groups = [asks[i].group for i in asked]
    distance = {
        kind: by_group(measure_pairs(sound[asked], targets)["lmd"], groups)
        for kind, sound in (("model", made), ("scaled", references))
    }
    distance["real"] = _within_layers(trials, {ask.group for ask in asks})
    ratio = {group: distance["model"][group] / distance["scaled"][group] for group in distance["model"]}
    return {
        "asks": len(asks),
        "distance_db": {k: _plain(over_groups(v, class_of)) for k, v in distance.items()},
        "ratio_to_scaled": _plain(over_groups(ratio, class_of)),
        "slopes": _slopes(asks, described, describe(made), class_of),
    }


def _within_layers(trials: TrialSet, groups: set[str]) -> dict[str, float]:
    """Return how far real strokes of one velocity are from each other: as near as anything can be."""
    pairs = [
        (group.name, layer[i], layer[i + 1])
        for group in trials.groups
        if group.name in groups
        for layer in group.layers
        for i in range(len(layer) - 1)
    ]
    first, second = (trials.hits.audio[[pair[side] for pair in pairs]] for side in (1, 2))
    return by_group(measure_pairs(first, second)["lmd"], [pair[0] for pair in pairs])


def _slopes(
    asks: Sequence[Ask], real: Description, made: Description, class_of: Mapping[str, str]
) -> dict[str, Any]:
    """Return real and made slopes of centroid and T20 over level, and the difference, by class."""
    groups = [ask.group for ask in asks]
    references = [ask.reference for ask in asks]
    level = np.array([ask.difference_db for ask in asks])
    result = {}
    for name in ("centroid_hz", "t20_seconds"):
        every, varied = (torch.log(getattr(d, name)).double().numpy() for d in (real, made))
        start = every[references]
        true = np.array([np.median(every[list(ask.targets)]) for ask in asks]) - start
        slopes = {
            kind: {g: _slope(level, change, groups, g) for g in sorted(set(groups))}
            for kind, change in (("real", true), ("model", varied - start))
        }
        slopes["difference"] = {g: slopes["model"][g] - slopes["real"][g] for g in slopes["real"]}
        result[name.split("_")[0]] = {k: _plain(over_groups(v, class_of)) for k, v in slopes.items()}
    return result


def _slope(
    level: NDArray[np.float64], change: NDArray[np.float64], groups: Sequence[str], group: str
) -> float:
    """Return the change in % for 10 dB of the asks of one group, by least squares through nought."""
    own = (np.asarray(groups) == group) & np.isfinite(change)
    return float(1000 * (level[own] @ change[own]) / (level[own] @ level[own])) if own.any() else float("nan")


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asdict(figure) for name, figure in figures.items()}

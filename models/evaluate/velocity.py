"""Velocity: strokes made from a reference of another velocity, compared with the real ones of that velocity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.dsp.metrics import Description, describe
from ghostnote.models.evaluate.diversity import by_group, measure_pairs, measures_over_groups, over_groups
from ghostnote.models.evaluate.player import ModelPlayer, Tick
from ghostnote.models.evaluate.settings import EvaluationSettings

_LEAST_DB: Final = 3.0
"""Velocities that lie closer are left out."""
_TRUE_STROKES: Final = 3


@dataclass(frozen=True)
class VelocityChange:
    """One reference, and real strokes of the velocity to reach."""

    group: str
    reference: int
    targets: tuple[int, ...]
    difference_db: float
    """How much louder the targets are, by the median of their peaks."""


def velocity_changes(
    trials: TrialSet, peak_db: Sequence[float], references: int, seed: int = 0
) -> tuple[VelocityChange, ...]:
    """Return changes between the softest, a middle and the hardest velocity of each group, both ways."""
    rng = np.random.default_rng(seed)
    changes = []
    for group in trials.groups:
        layers = [group.layers[i] for i in sorted({0, len(group.layers) // 2, len(group.layers) - 1})]
        for a, layer in enumerate(layers):
            for b, targets in enumerate(layers):
                level = float(np.median([peak_db[i] for i in targets]))
                for reference in rng.permutation(layer)[:references] if a != b else ():
                    difference_db = level - peak_db[reference]
                    if abs(difference_db) >= _LEAST_DB:
                        chosen = tuple(int(i) for i in rng.permutation(targets)[:_TRUE_STROKES])
                        changes.append(VelocityChange(group.name, int(reference), chosen, difference_db))
    return tuple(changes)


def velocity(player: ModelPlayer, trials: TrialSet, settings: EvaluationSettings, tick: Tick) -> dict[str, Any]:
    """Return how far made strokes are from the true velocity, beside the reference scaled in level.

    Distances are level-free log-mel ones; slopes are in % for 10 dB, over all changes of a group.
    """
    hits = trials.hits.audio
    described = describe(hits)
    changes = velocity_changes(trials, described.peak_db.tolist(), settings.velocity_references, settings.seed)
    if not changes:
        return {"changes": 0}
    class_of = {group.name: group.drum_class for group in trials.groups}
    references = hits[[change.reference for change in changes]]
    labels = [player.generator.card.classes.index(class_of[change.group]) for change in changes]
    differences_db = [change.difference_db for change in changes]
    made = player.at_velocity(references, labels, differences_db, steps=settings.steps, tick=tick)
    rows = [(i, target) for i, change in enumerate(changes) for target in change.targets]
    sources, targets = [i for i, _ in rows], hits[[target for _, target in rows]]
    groups = [changes[i].group for i in sources]
    distance = {
        kind: by_group(measure_pairs(sound[sources], targets)["lmd"], groups)
        for kind, sound in (("model", made), ("scaled", references))
    }
    distance["real"] = _within_layers(trials, set(groups))
    ratio = {group: distance["model"][group] / distance["scaled"][group] for group in distance["model"]}
    return {
        "changes": len(changes),
        "distance_db": measures_over_groups(distance, class_of),
        "ratio_to_scaled": over_groups(ratio, class_of),
        "slopes": _slopes(changes, described, describe(made), class_of),
    }


def _within_layers(trials: TrialSet, groups: set[str]) -> dict[str, float]:
    """Return how far real strokes of one velocity are from each other, which nothing can be expected to beat."""
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
    changes: Sequence[VelocityChange], real: Description, made: Description, class_of: Mapping[str, str]
) -> dict[str, Any]:
    """Return real and made slopes of centroid and T20 over level, and the difference, by class."""
    groups = [change.group for change in changes]
    references = [change.reference for change in changes]
    level = np.array([change.difference_db for change in changes])
    result = {}
    for name in ("centroid_hz", "t20_seconds"):
        every, varied = (torch.log(getattr(d, name)).double().numpy() for d in (real, made))
        start = every[references]
        true = np.array([np.median(every[list(change.targets)]) for change in changes]) - start
        slopes = {
            kind: {g: _slope(level, difference, groups, g) for g in sorted(set(groups))}
            for kind, difference in (("real", true), ("model", varied - start))
        }
        slopes["difference"] = {g: slopes["model"][g] - slopes["real"][g] for g in slopes["real"]}
        result[name.split("_")[0]] = measures_over_groups(slopes, class_of)
    return result


def _slope(level: NDArray[np.float64], change: NDArray[np.float64], groups: Sequence[str], group: str) -> float:
    """Return one group's change in % for 10 dB, by least squares through 0."""
    own = (np.asarray(groups) == group) & np.isfinite(change)
    return float(1000 * (level[own] @ change[own]) / (level[own] @ level[own])) if own.any() else float("nan")

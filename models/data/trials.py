"""Which real strokes a variation is compared with: references, and other strokes at the same velocity."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ghostnote.models.data.dataset import REPEATS
from ghostnote.models.data.manifest import HitFile

_WINDOW_DB: Final = 1.0
"""Strokes of a group without layers count as one velocity when their levels lie within this."""


@dataclass(frozen=True)
class Group:
    """The strokes of one drum, by velocity."""

    name: str
    drum_class: str
    layers: tuple[tuple[int, ...], ...]
    """Indices of hits of one velocity each, softest first."""


@dataclass(frozen=True)
class Trial:
    """One reference, and the real strokes that could have been its next."""

    group: str
    drum_class: str
    reference: int
    """Index of the hit that is varied."""
    others: tuple[int, ...]
    """Indices of other strokes of the same drum at the same velocity."""
    layer: tuple[int, ...]
    """Indices of all strokes at that velocity, the reference included."""


def groups_of(files: Sequence[HitFile], level_db: Sequence[float]) -> tuple[Group, ...]:
    """Return the groups of repeated strokes among `files`, whose levels of the first 60 ms are `level_db`.

    Round robins are split by layer; single strokes at rising level by windows of 1 dB.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for i, file in enumerate(files):
        if file.group_kind in REPEATS:
            members[file.group].append(i)
    groups = []
    for name, group in members.items():
        by_level = sorted(group, key=lambda i: level_db[i])
        if files[group[0]].group_kind == "rr":
            layers: dict[str, list[int]] = defaultdict(list)
            for i in by_level:
                layers[files[i].layer].append(i)
            by_velocity = list(layers.values())
        else:
            by_velocity = _windows(by_level, level_db)
        by_velocity.sort(key=lambda layer: float(np.median([level_db[i] for i in layer])))
        groups.append(Group(name, files[group[0]].drum_class, tuple(map(tuple, by_velocity))))
    return tuple(groups)


def trials_of(groups: Sequence[Group], references: int, others: int, seed: int = 0) -> tuple[Trial, ...]:
    """Return up to `references` trials a group with up to `others` strokes each, spread over the velocities."""
    rng = np.random.default_rng(seed)
    trials = []
    for group in groups:
        queues = [list(rng.permutation(layer)) for layer in group.layers if len(layer) >= 2]
        layers = [layer for layer in group.layers if len(layer) >= 2]
        taken = 0
        while taken < references and any(queues):
            for queue, layer in zip(queues, layers, strict=True):
                if not queue or taken == references:
                    continue
                chosen = int(queue.pop())
                others_left = [i for i in layer if i != chosen]
                picked = sorted(int(i) for i in rng.permutation(others_left)[:others])
                trials.append(Trial(group.name, group.drum_class, chosen, tuple(picked), layer))
                taken += 1
    return tuple(trials)


def _windows(by_level: Sequence[int], level_db: Sequence[float]) -> list[list[int]]:
    windows: list[list[int]] = []
    for i in by_level:
        if windows and level_db[i] - level_db[windows[-1][0]] <= _WINDOW_DB:
            windows[-1].append(i)
        else:
            windows.append([i])
    return windows

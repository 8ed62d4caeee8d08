"""Velocity layers that are left out, to see how near strokes come to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ghostnote.models.data.trials import Group

LEAST_GAP_DB: Final = 6.0
"""Layers that lie nearer to the one that is left out are left out with it."""
_LEAST_LAYERS: Final = 3


@dataclass(frozen=True)
class LeftOut:
    """A layer that is left out, and what is known."""

    group: Group
    layer: int
    """Its place in the group."""
    known: tuple[int, ...]
    """Places of the layers that are at least `LEAST_GAP_DB` away."""
    nearest: int
    """The one of them whose level is nearest."""
    between: bool
    """Whether there are softer and harder ones among them."""


def left_out_layers(groups: Sequence[Group], level_db: Sequence[float], most: int) -> tuple[LeftOut, ...]:
    """Return at most `most` layers of each group between known ones, and as many beyond them; two must be known.

    Groups have three layers or more; `level_db` is each hit's.
    """
    found: list[LeftOut] = []
    for group in groups:
        levels = layer_levels_db(group, level_db)
        own = [] if len(levels) < _LEAST_LAYERS else [*_left_out(group, levels)]
        for is_between in (True, False):
            found += _spread([each for each in own if each.between == is_between], most)
    return tuple(found)


def layer_levels_db(group: Group, level_db: Sequence[float]) -> list[float]:
    """Return the level of each layer of a group, by each hit's."""
    return [float(np.median([level_db[i] for i in layer])) for layer in group.layers]


def _spread(items: Sequence[LeftOut], most: int) -> list[LeftOut]:
    """Return at most `most` items, equally far apart."""
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[place] for place in places]


def _left_out(group: Group, levels: Sequence[float]) -> Iterator[LeftOut]:
    for place, level in enumerate(levels):
        known = tuple(i for i, other in enumerate(levels) if abs(other - level) >= LEAST_GAP_DB)
        if len(known) >= 2:
            nearest = min(known, key=lambda i: abs(levels[i] - level))
            between = levels[known[0]] < level < levels[known[-1]]
            yield LeftOut(group, place, known, nearest, between)

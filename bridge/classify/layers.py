"""Velocity layers of one drum's recorded strokes: by the layers that their names say, or else by their levels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ghostnote.bridge.dsp.velocity import FULL_VELOCITY, hit_level_db, level_velocity
from ghostnote.bridge.io.audio_file import read_audio

_LAYER_DB: Final = 3.0
"""Strokes whose levels lie within this are round robins of one layer."""
_FALLING_DB: Final = -0.2
_LEAST_VELOCITY_NUMBERS: Final = 20
"""Layers that are numbered beyond this are numbered by their velocities."""

Range = tuple[int, int]
"""The lowest and the highest velocity of a layer."""


def layer_velocities(files: Sequence[Path]) -> list[int]:
    """Return the velocity of each stroke by its level; `AudioFileError` for a file that cannot be read."""
    return measured_velocities([hit_level_db(*read_audio(file)) for file in files])


def measured_velocities(levels_db: Sequence[float]) -> list[int]:
    """Return the velocity of each stroke: the loudest ones 127, and strokes of one layer the same."""
    if not levels_db:
        return []
    order = np.argsort(levels_db, kind="stable")
    layers: list[list[int]] = []
    for at in map(int, order[::-1]):
        # From the loudest down, so that the hardest stroke is at full velocity.
        if not layers or levels_db[layers[-1][0]] - levels_db[at] > _LAYER_DB:
            layers.append([])
        layers[-1].append(at)
    means = [float(np.mean([levels_db[at] for at in layer])) for layer in layers]
    velocities = [0] * len(levels_db)
    for layer, mean in zip(layers, means, strict=True):
        for at in layer:
            velocities[at] = level_velocity(mean - means[0])
    return velocities


def layer_ranges(layers: Sequence[int]) -> list[Range]:
    """Return the velocities of layers in rising order: equal shares, or up to each one's own number if it is one."""
    numbered = _LEAST_VELOCITY_NUMBERS < layers[-1] <= FULL_VELOCITY and layers[0] > 0
    tops = [*layers] if numbered else [round(FULL_VELOCITY * (at + 1) / len(layers)) for at in range(len(layers))]
    tops[-1] = FULL_VELOCITY
    return list(zip([1, *(top + 1 for top in tops[:-1])], tops, strict=True))


def loudest_last(levels_db: Sequence[float]) -> bool:
    """Return whether layers are counted from the softest; some libraries count them from the loudest."""
    return len(levels_db) < 2 or float(np.polyfit(np.arange(len(levels_db)), levels_db, 1)[0]) > _FALLING_DB

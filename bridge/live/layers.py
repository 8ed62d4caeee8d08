"""Velocity layers of the pool: a note gets a stroke of the nearest one, brought to its own level."""

from typing import Final

LAYER_VELOCITIES: Final = (16, 40, 64, 84, 104, 122)
"""The velocities at which strokes are made."""

LAYERS: Final = range(len(LAYER_VELOCITIES))


def layer_of(velocity: int) -> int:
    """Return the velocity layer that is nearest."""
    return min(LAYERS, key=lambda layer: abs(LAYER_VELOCITIES[layer] - velocity))


LAYER_OF: Final = tuple(layer_of(velocity) for velocity in range(128))
"""The layer of each velocity."""

NEAR: Final = tuple(sorted(LAYERS, key=lambda other: abs(other - layer)) for layer in LAYERS)
"""For each layer all of them, the nearest first."""

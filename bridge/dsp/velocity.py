"""What a MIDI velocity means in level."""

from math import log10
from typing import Final

FULL_VELOCITY: Final = 127


def velocity_db(velocity: int) -> float:
    """Return the level of a velocity (1..127) below full, in dB: 40·log10(v / 127), as in the DLS specification."""
    return 40 * log10(max(velocity, 1) / FULL_VELOCITY)


def velocity_gain(velocity: int) -> float:
    """Return the same level as a factor, 1 at full velocity."""
    return (max(velocity, 1) / FULL_VELOCITY) * (max(velocity, 1) / FULL_VELOCITY)

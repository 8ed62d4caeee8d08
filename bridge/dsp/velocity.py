"""What a MIDI velocity means in level."""

from math import log10
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.onset import onset_frame

FULL_VELOCITY: Final = 127

_LEVEL_SECONDS: Final = 0.1
_LEAST_POWER: Final = 1e-12


def velocity_db(velocity: int) -> float:
    """Return the level of a velocity (1..127) below full, in dB: 40·log10(v / 127), as in the DLS specification."""
    return 40 * log10(max(velocity, 1) / FULL_VELOCITY)


def velocity_gain(velocity: int) -> float:
    """Return the same level as a factor, 1 at full velocity."""
    return (max(velocity, 1) / FULL_VELOCITY) * (max(velocity, 1) / FULL_VELOCITY)


def level_velocity(below_full_db: float) -> int:
    """Return the velocity (1..127) whose level lies nearest to so many dB, 0 or less: the inverse of `velocity_db`."""
    return max(1, min(FULL_VELOCITY, round(FULL_VELOCITY * 10 ** (below_full_db / 40))))


def hit_level_db(audio: NDArray[np.float32], rate: int) -> float:
    """Return the level of a hit (channels, frames) in dB: its power in the 0.1 s from its onset."""
    return 10 * log10(max(onset_power(audio[:, onset_frame(audio) :], rate), _LEAST_POWER))


def onset_power(hit: NDArray[np.float32], rate: int) -> float:
    """Return the mean square of the first 0.1 s of a hit (channels, frames) that begins with its onset."""
    power = float(np.square(hit[:, : round(_LEVEL_SECONDS * rate)], dtype=np.float64).sum())
    # Over a fixed time: a hit that ends early is not louder for it.
    return power / (len(hit) * _LEVEL_SECONDS * rate)

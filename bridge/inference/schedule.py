"""The times of the diffusion's steps, from noise, 1, to a hit, 0."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_STEPS: Final = 256


def schedule(steps: int) -> NDArray[np.float32]:
    """Return steps + 1 evenly spaced times from 1 to 0; for 0 steps the time 1 alone."""
    if not 0 <= steps <= MAX_STEPS:
        raise ValueError(f"{steps} steps are not within 0 to {MAX_STEPS}")
    return np.linspace(1, 0, steps + 1, dtype=np.float32) if steps else np.ones(1, np.float32)


def shape_schedule(steps: int) -> NDArray[np.float32]:
    """Return steps + 1 times from 1 to 0 for the shape of a new drum, dense near 1.

    The first steps decide which drum it becomes: evenly spaced, new drums crowd about the middle of their class.
    """
    return 1 - np.square(1 - schedule(steps))

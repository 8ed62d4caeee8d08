"""Random rhythms as drummers and machines play them: velocities of the steps of a bar, 0 where nothing is struck."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Pattern = NDArray[np.float64]
"""(steps,), velocities from 0 to 1."""

BEATS: Final = 4
"""A bar has so many; patterns take numbers of steps that are multiples of it."""


def time_keeper(rng: np.random.Generator, steps: int) -> Pattern:
    """Return what a hand strikes at even intervals: quarters, eighths, sixteenths, offbeats, shuffled, or freely."""
    beat = steps // BEATS
    place = np.arange(steps)
    kind = rng.choice(
        ["quarters", "eighths", "sixteenths", "offbeats", "free", "shuffle"], p=[0.12, 0.4, 0.2, 0.1, 0.1, 0.08]
    )
    struck = {
        "quarters": place % beat == 0,
        "eighths": place % max(1, beat // 2) == 0,
        "sixteenths": place >= 0,
        "offbeats": place % beat == beat // 2,
        "free": rng.random(steps) < rng.uniform(0.25, 0.7),
        "shuffle": (place % beat == 0) | (place % beat == beat - 1),
    }[str(kind)]
    left_out = rng.random(steps) < rng.choice([0.0, 0.05, 0.15])
    velocity = np.where(place % beat == 0, 1.0, rng.uniform(0.5, 1.0)) * np.where(
        place % 2 == 1, rng.uniform(0.6, 1.0), 1.0
    )
    return np.where(struck & ~left_out, velocity, 0.0)


def bass_drum(rng: np.random.Generator, steps: int) -> Pattern:
    """Return kicks on all beats, or mostly on the strong ones."""
    place, beat = np.arange(steps), steps // BEATS
    if rng.random() < 0.2:
        return np.where(place % beat == 0, 1.0, 0.0)
    likely = np.select([place % (2 * beat) == 0, place % beat == 0, place % 2 == 0], [0.85, 0.35, 0.2], 0.12)
    return np.where(rng.random(steps) < likely * rng.uniform(0.6, 1.2), rng.uniform(0.6, 1.0, steps), 0.0)


def backbeat(rng: np.random.Generator, steps: int) -> Pattern:
    """Return strokes on the second and fourth beat, or anywhere, and ghost notes between them."""
    place, beat = np.arange(steps), steps // BEATS
    loud = place % (2 * beat) == beat if rng.random() < 0.8 else rng.random(steps) < 0.25
    ghosts = rng.random(steps) < rng.choice([0.0, 0.06, 0.15])
    return np.where(loud, rng.uniform(0.7, 1.0, steps), np.where(ghosts, rng.uniform(0.2, 0.5, steps), 0.0))


def scattered(rng: np.random.Generator, steps: int, density: float) -> Pattern:
    """Return strokes anywhere, `density` of the steps on average."""
    return np.where(rng.random(steps) < density, rng.uniform(0.5, 1.0, steps), 0.0)


def fill(rng: np.random.Generator, steps: int, first: int, last: int) -> Pattern:
    """Return most steps from `first` to before `last` struck."""
    place = np.arange(steps)
    return np.where((place >= first) & (place < last), scattered(rng, steps, 0.75), 0.0)


def varied(rng: np.random.Generator, pattern: Pattern) -> Pattern:
    """Return a pattern of which some steps are left out or added."""
    changed = rng.random(len(pattern)) < 0.08
    return np.where(changed, np.where(pattern > 0, 0.0, rng.uniform(0.4, 1.0, len(pattern))), pattern)

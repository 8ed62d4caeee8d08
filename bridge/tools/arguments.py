"""What functions of the Python API are given, checked."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.errors import InputError

Audio = NDArray[np.float32]

RATES_HZ: Final = (1_000, 768_000)


MOST_CHANNELS: Final = 2
"""Of hits whose stereo image is changed."""


def checked(hit: ArrayLike, rate: int, most_channels: int | None = None) -> Audio:
    """Return a hit as float32 (channels, frames).

    `InputError` where it is not sound, is silent or has too many channels, or where `rate` is out of range.
    """
    try:
        audio = np.asarray(hit, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"the hit is not an array of numbers: {error}") from error
    if audio.ndim != 2 or not audio.size:
        raise InputError(f"the hit has the shape {audio.shape}: give (channels, frames), one of each at least")
    if most_channels and len(audio) > most_channels:
        raise InputError(f"the hit has {len(audio)} channels: give {most_channels} at most")
    if not np.isfinite(audio).all() or not audio.any():
        raise InputError("the hit is silent, or holds values that are not finite")
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise InputError(f"rate is {rate}: choose {RATES_HZ[0]} to {RATES_HZ[1]}")
    return audio


def check(name: str, value: float, least: float, most: float) -> None:
    """Raise `InputError` for a number out of its range."""
    if not least <= value <= most:
        raise InputError(f"{name} is {value:g}: choose {least:g} to {most:g}")

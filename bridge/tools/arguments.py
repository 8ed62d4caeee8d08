"""What functions of the Python API are given, checked."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_checks import LOUDEST_PEAK, MIN_SECONDS

Audio = NDArray[np.float32]

RATES_HZ: Final = (1_000, 768_000)


MOST_CHANNELS: Final = 2
"""Of hits whose stereo image is changed."""


def checked(hit: ArrayLike, rate: int, most_channels: int | None = None, *, noun: str = "hit") -> Audio:
    """Return a hit as float32 (channels, frames); `noun` is what errors call it.

    `InputError` for what is no sound, silent, too short, too loud or of too many channels, or a `rate` out of range.
    """
    try:
        audio = np.asarray(hit, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"the {noun} is not an array of numbers: {error}") from error
    if audio.ndim != 2 or not audio.size:
        raise InputError(f"the {noun} has the shape {audio.shape}: give (channels, frames), one of each at least")
    if most_channels and len(audio) > most_channels:
        raise InputError(f"the {noun} has {len(audio)} channels: give {most_channels} at most")
    wrong = np.argwhere(~np.isfinite(audio))
    if len(wrong):
        channel, frame = wrong[0]
        value = audio[channel, frame]
        raise InputError(f"the {noun} holds {value} at frame {frame} of channel {channel}: give finite numbers alone")
    if not audio.any():
        raise InputError(f"the {noun} is silent: give one with sound in it")
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise InputError(f"rate is {rate}: choose {RATES_HZ[0]} to {RATES_HZ[1]}")
    peak = np.abs(audio).max()
    if peak > LOUDEST_PEAK:
        raise InputError(f"the {noun} has a peak of {peak:.0e}, where 1 is full scale: scale it down")
    if audio.shape[1] < MIN_SECONDS * rate:
        milliseconds = 1000 * audio.shape[1] / rate
        raise InputError(f"the {noun} lasts {milliseconds:.2g} ms: give {1000 * MIN_SECONDS:g} ms at least")
    return audio


def check(name: str, value: float, least: float, most: float) -> None:
    """Raise `InputError` for a number out of its range."""
    if not least <= value <= most:
        raise InputError(f"{name} is {value:g}: choose {least:g} to {most:g}")

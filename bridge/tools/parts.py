"""The two parts of a hit at any rate, and the spectra that tools filter it by."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.errors import InputError

Audio = NDArray[np.float32]

RATES_HZ: Final = (1_000, 768_000)


def checked(hit: ArrayLike, rate: int) -> Audio:
    """Return a hit as float32 (channels, frames); `InputError` where it is not sound, or `rate` is out of range."""
    try:
        audio = np.asarray(hit, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"the hit is not an array of numbers: {error}") from error
    if audio.ndim != 2 or not audio.size:
        raise InputError(f"the hit has the shape {audio.shape}: give (channels, frames), one of each at least")
    if not np.isfinite(audio).all() or not audio.any():
        raise InputError("the hit is silent, or holds values that are not finite")
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise InputError(f"rate is {rate}: choose {RATES_HZ[0]} to {RATES_HZ[1]}")
    return audio


def check(name: str, value: float, least: float, most: float) -> None:
    """Raise `InputError` for a number out of its range."""
    if not least <= value <= most:
        raise InputError(f"{name} is {value:g}: choose {least:g} to {most:g}")


def parts_of(audio: Audio, rate: int) -> tuple[Audio, Audio]:
    """Return the partials and the residual of a hit (channels, frames) at `rate` Hz; they add up to it."""
    found = resample(split(resample(audio, rate, RATE))[0], RATE, rate)
    partials = fitted(found, audio.shape[1])
    return partials, audio - partials


def fitted(audio: Audio, frames: int) -> Audio:
    """Return the first `frames` frames, padded with silence."""
    missing = frames - audio.shape[1]
    return np.pad(audio, ((0, 0), (0, missing))) if missing > 0 else audio[:, :frames]

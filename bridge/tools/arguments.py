"""What functions of the Python API are given, checked."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.schedule import MAX_STEPS
from ghostnote.bridge.inference.variation import Variation
from ghostnote.bridge.io.arguments import RATES_HZ, as_sound, check_seed, check_whole
from ghostnote.bridge.io.arguments import check as check
from ghostnote.bridge.io.audio_checks import LOUDEST_PEAK, MIN_SECONDS

Audio = NDArray[np.float32]

MOST_CHANNELS: Final = 2
"""Of hits whose stereo image is changed."""
_LEAST_RATE_BYTES: Final = 8


def checked(hit: ArrayLike, rate: int, most_channels: int | None = None, *, noun: str = "hit") -> Audio:
    """Return a hit as float32 (channels, frames); `noun` is what errors call it.

    `InputError` for what is no sound, silent, too short, too loud or of too many channels, or a `rate` out of range.
    """
    with np.errstate(over="ignore"):
        audio = as_sound(hit, noun).astype(np.float32, copy=False)
    if most_channels and len(audio) > most_channels:
        raise InputError(f"the {noun} has {len(audio)} channels: give {most_channels} at most")
    wrong = np.argwhere(~np.isfinite(audio))
    if len(wrong):
        channel, frame = wrong[0]
        value = audio[channel, frame]
        raise InputError(f"the {noun} holds {value} at frame {frame} of channel {channel}: give finite numbers alone")
    if not audio.any():
        raise InputError(f"the {noun} is silent: give one with sound in it")
    check_rate(rate)
    peak = np.abs(audio).max()
    if peak > LOUDEST_PEAK:
        raise InputError(f"the {noun} has a peak of {peak:.0e}, where 1 is full scale: scale it down")
    if audio.shape[1] < MIN_SECONDS * rate:
        milliseconds = 1000 * audio.shape[1] / rate
        raise InputError(f"the {noun} lasts {milliseconds:.2g} ms: give {1000 * MIN_SECONDS:g} ms at least")
    return audio


def check_rate(rate: int) -> None:
    """Raise `InputError` for a sample rate out of range, or a number so short that sums with it overflow."""
    if isinstance(rate, np.number) and rate.itemsize < _LEAST_RATE_BYTES:
        raise InputError(f"rate is of {rate.dtype}, in which it overflows: give int(rate)")
    check("rate", rate, *RATES_HZ)


def check_steps(steps: int | None, least: int = 0) -> None:
    """Raise `InputError` for a number of diffusion steps out of range; None is the model's default."""
    if steps is not None:
        check_whole("steps", steps, least, MAX_STEPS)


def check_variation(variation: Variation) -> None:
    """Raise `InputError` for a number of a variation that is out of its range."""
    check("amount", variation.amount, 0, 2)
    check("width", variation.width, 0, 1)
    check_steps(variation.steps)
    check_seed(variation.seed)

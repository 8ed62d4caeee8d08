"""What functions are given, checked: numbers, paths and sounds."""

import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.printable import shown

RATES_HZ: Final = (1_000, 768_000)
"""Of sounds that are read and written."""
MADE_RATES_HZ: Final = (8_000, 192_000)
"""Of sounds that are made at a chosen rate."""
MOST_SEED: Final = 2**64 - 1


def check(name: str, value: float, least: float, most: float) -> None:
    """Raise `InputError` for what is no number, or one out of its range."""
    _check(name, value, Real, f"{least:g} to {most:g}")
    if not least <= value <= most:
        raise InputError(f"{name} is {_shown(value)}: choose {least:g} to {most:g}")


def check_whole(name: str, value: int, least: int, most: int) -> None:
    """Raise `InputError` for what is no whole number, or one out of its range."""
    _check(name, value, Integral, f"a whole number from {least} to {most}")
    if not least <= value <= most:
        raise InputError(f"{name} is {_shown(value)}: choose {least} to {most}")


def check_seed(seed: int) -> None:
    """Raise `InputError` for what is no seed."""
    check_whole("seed", seed, 0, MOST_SEED)


def _check(name: str, value: object, kind: type, advice: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"{name} is {_shown(value)}: choose {advice}")


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else shown(value)


def as_path(name: str, value: object) -> Path:
    """Return a path; `InputError` for what is none, or holds a null character, which no file's name has."""
    try:
        path = Path(os.fsdecode(value)) if isinstance(value, str | bytes | os.PathLike) else None
    except TypeError:
        path = None
    if path is None or "\0" in str(path):
        raise InputError(f"{name} is {_shown(value)}: give the path of a file or folder")
    return path


def as_sound(sound: ArrayLike, noun: str, least_frames: int = 1) -> NDArray[Any]:
    """Return a sound as an array (channels, frames) of float32 or float64; `noun` is what errors call it.

    `InputError` for what has another shape, or is no array of floating-point numbers.
    """
    try:
        array = np.asarray(sound)
    except (TypeError, ValueError) as error:
        raise InputError(f"the {noun} is not an array of numbers: {error}") from error
    if array.dtype.kind in "biuc":
        raise InputError(f"the {noun} is of {array.dtype}: give floating-point numbers, where 1 is full scale")
    if array.dtype.kind != "f":
        raise InputError(f"the {noun} is not an array of numbers, but of {array.dtype}: give floating-point numbers")
    if array.ndim != 2 or not len(array) or array.shape[1] < least_frames:
        raise InputError(f"the {noun} has the shape {array.shape}: give (channels, frames), one of each at least")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)

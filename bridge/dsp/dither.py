"""Dither for 16-bit files: triangular and high-passed, from a constant seed, whatever the blocks."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SEED: Final = 0x6D07E
_PART_FRAMES: Final = 2**15
_CACHED_PARTS: Final = 8
"""Every file begins with the same parts; drawing them again would take a fifth of the time of writing it."""


def dither(channels: int, frames: int, start: int) -> NDArray[np.float32]:
    """Return a file's dither from the frame `start` on, `(channels, frames)`, in quantization steps."""
    end = start + frames
    first, last = start // _PART_FRAMES, end // _PART_FRAMES
    parts = [_part(channels, number) for number in range(first, last + 1)]
    whole = parts[0] if first == last else np.concatenate(parts, axis=1)
    return whole[:, start - first * _PART_FRAMES : end - first * _PART_FRAMES]


@lru_cache(maxsize=_CACHED_PARTS)
def _part(channels: int, number: int) -> NDArray[np.float32]:
    """Return `(channels, _PART_FRAMES)`: differences of uniform draws."""
    draws = np.random.default_rng((_SEED, number)).random((channels, _PART_FRAMES + 1), np.float32)
    return np.diff(draws)

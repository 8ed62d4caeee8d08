"""The onset of a hit, measured alike in training and in use, and the floor under its peak."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ONSET_LEVEL: Final = 10 ** (-46 / 20)
"""A hit begins where it first reaches this share of its peak (-46 dB)."""
LEAD_SECONDS: Final = 0.001
"""The model is trained on hits that begin with at most this much silence."""
LEAD_LEVEL: Final = 10 ** (-50 / 20)
"""A file's leading silence stays below this share of its peak (-50 dB)."""
PEAK_FLOOR: Final = 1e-6
"""Hits are scaled by their peak or by this, whichever is greater, so that silence stays silent."""


def onset_frame(audio: NDArray[Any], level: float = ONSET_LEVEL) -> int:
    """Return the first frame of `audio` (channels, frames) that reaches `level` times its peak on any channel."""
    loudest = np.abs(audio).max(axis=0)
    return int(np.argmax(loudest >= level * loudest.max()))

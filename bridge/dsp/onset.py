"""Where a hit begins: one measure for training, the model and files, and the peak under which there is no hit."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ONSET_LEVEL: Final = 10 ** (-46 / 20)
"""A hit begins where it first reaches this share of its peak: so it does in training, and in use."""
LEAD_SECONDS: Final = 0.001
"""What the model knows of the silence before an onset; the rest is cut in training and kept as it is in use."""
LEAD_LEVEL: Final = 10 ** (-50 / 20)
"""What stays 50 dB under the peak counts as the silence at the beginning of a file."""
PEAK_FLOOR: Final = 1e-6
"""A peak below this counts as this one when a hit is scaled, so that silence stays silence."""


def onset_frame(audio: NDArray[Any], level: float = ONSET_LEVEL) -> int:
    """Return the first frame of `audio` (channels, frames) that reaches `level` times its peak on any channel."""
    loudest = np.abs(audio).max(axis=0)
    return int(np.argmax(loudest >= level * loudest.max()))

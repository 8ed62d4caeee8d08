"""Waveforms as a page draws them: the highest and the lowest sample of each of many short stretches."""

from base64 import b64encode
from typing import Final

import numpy as np

from ghostnote.bridge.live.hit import Audio

POINTS: Final = 160
"""Stretches of a waveform."""


def waveform(audio: Audio, gain: float, points: int = POINTS) -> tuple[str, float]:
    """Return the waveform of a stroke (channels, frames), and its peak, 1 at full scale.

    The text is base64 of signed bytes: the lowest and the highest of each stretch in turn, 127 at the peak.
    """
    # One channel is enough to see that no two are alike.
    side = audio[0]
    size = max(1, -(-len(side) // points))
    whole = np.zeros(size * points, np.float32)
    whole[: len(side)] = side
    stretches = whole.reshape(points, size)
    ends = np.stack((stretches.min(axis=1), stretches.max(axis=1)), axis=1)
    peak = float(np.abs(ends).max())
    scaled = np.rint(ends * (127 / peak)) if peak else ends
    return b64encode(scaled.astype(np.int8).tobytes()).decode(), peak * gain

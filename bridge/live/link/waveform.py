"""Waveforms as a page draws them: the highest and the lowest sample of each of many short stretches."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.live.hit import Audio

POINTS: Final = 160
"""Stretches of a waveform."""
_FLOOR: Final = 0.006
"""What is quieter than this share of the peak to the end is left out: it would not be seen."""


@dataclass(frozen=True)
class Waveform:
    """A stroke's outline."""

    ends: str
    """Base64 of signed bytes: the lowest and the highest sample of each stretch in turn, 127 at the peak."""
    peak: float
    """Its highest sample, 1 at full scale."""
    frames: int
    """How much of the stroke it shows."""


def waveform(audio: Audio, points: int = POINTS) -> Waveform:
    """Return the waveform of the audible part of a stroke (channels, frames)."""
    # One channel is enough to see that no two are alike.
    side = audio[0]
    ends = _ends(side, points)
    peak = float(np.abs(ends).max(initial=0.0))
    audible = np.flatnonzero(np.abs(ends).max(axis=1) > _FLOOR * peak)
    frames = len(side)
    if len(audible):
        frames = min(frames, -(-frames // points) * (int(audible[-1]) + 1))
        ends = _ends(side[:frames], points)
    scaled = np.rint(ends * (127 / peak)) if peak else ends
    return Waveform(b64encode(scaled.astype(np.int8).tobytes()).decode(), peak, frames)


def _ends(side: NDArray[np.float32], points: int) -> NDArray[np.float32]:
    """Return the lowest and the highest sample of each stretch, (points, 2)."""
    size = max(1, -(-len(side) // points))
    whole = np.zeros(size * points, np.float32)
    whole[: len(side)] = side
    stretches = whole.reshape(points, size)
    return np.stack((stretches.min(axis=1), stretches.max(axis=1)), axis=1)

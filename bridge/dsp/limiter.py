"""A transparent peak limiter for the bus, block by block.

`pedalboard.Limiter` was measured first: at a threshold of -1 dB it raises everything by 4.75 dB and
compresses 4:1 from -10 dB on, so a mix would not be the sum of its stems even where nothing is loud.
This one leaves every frame untouched, to the bit, while the mix stays under the ceiling.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

CEILING_DB: Final = -1.0
LOOKAHEAD_SECONDS: Final = 0.0015
RELEASE_DB_PER_SECOND: Final = 60.0

Audio = NDArray[np.float32]


class Limiter:
    """Holds a stereo bus under a ceiling; what comes out is `latency_frames` late.

    The gain reduction in dB is the excess over the ceiling, held over the look-ahead, released at a
    constant rate and averaged over the look-ahead, so that it is complete when the peak arrives.
    """

    def __init__(self, rate: int, ceiling_db: float = CEILING_DB) -> None:
        """Start in silence at `rate` frames a second."""
        self.latency_frames = max(1, round(LOOKAHEAD_SECONDS * rate))
        self.deepest_db = 0.0
        """The strongest reduction so far."""
        span = self.latency_frames
        self._ceiling = 10.0 ** (ceiling_db / 20)
        self._release = RELEASE_DB_PER_SECOND / rate
        self._box = np.full(span + 1, 1.0 / (span + 1))
        self._delayed: Audio = np.zeros((2, span), np.float32)
        self._excess = np.zeros(span)
        self._held = np.zeros(span)

    def process(self, block: Audio) -> Audio:
        """Return the limited signal, (2, frames) as `block`, `latency_frames` late."""
        frames = block.shape[1]
        signal = np.concatenate((self._delayed, block), axis=1)
        self._delayed = signal[:, frames:]
        out: Audio = signal[:, :frames]
        peaks = np.abs(block).max(axis=0)
        if peaks.max(initial=0.0) <= self._ceiling and not self._held.any() and not self._excess.any():
            return out
        return (out * self._gain(peaks)).astype(np.float32)

    def flush(self) -> Audio:
        """Return the (2, latency_frames) that are still inside."""
        return self.process(np.zeros((2, self.latency_frames), np.float32))

    def _gain(self, peaks: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the gain of the frames that leave while frames with these `peaks` come in."""
        span, frames = self.latency_frames, len(peaks)
        excess = np.maximum(20 * np.log10(np.maximum(peaks / self._ceiling, 1.0)), 0.0)
        history = np.concatenate((self._excess, excess))
        window = np.lib.stride_tricks.sliding_window_view(history, span + 1).max(axis=1)
        # A release at a constant rate is a running maximum over a slope.
        slope = self._release * np.arange(frames + 1)
        held = np.maximum.accumulate(np.concatenate((self._held[-1:], window)) + slope) - slope
        held = np.concatenate((self._held, np.maximum(held[1:], window)))
        reduction = np.convolve(held, self._box, "valid")
        self._excess, self._held = history[frames:], held[frames:]
        self.deepest_db = max(self.deepest_db, float(reduction.max()))
        gain: NDArray[np.float64] = 10.0 ** (-reduction / 20)
        return gain

"""A steady clock from callbacks that come late now and then."""

import math
from typing import Final

_BANDWIDTH_HZ: Final = 0.5
_LOST_SECONDS: Final = 0.05
"""A callback this far off is a gap in the stream: the clock starts again."""


class BlockClock:
    """Says when each block began, smoothed by a delay-locked loop.

    After F. Adriaensen, *Using a DLL to filter time* (Linux Audio Conference, 2005), with the drift kept as
    a factor on the block's nominal length, so that blocks may be of any length.
    """

    def __init__(self, rate: int) -> None:
        """Wait for the first block of a stream of `rate` frames a second."""
        self._rate = rate
        self._next: float | None = None
        self._drift = 1.0

    def block(self, now: float, frames: int) -> float:
        """Return when the block of `frames` began whose callback was seen at `now`, in seconds."""
        seconds = frames / self._rate
        if self._next is None or abs(now - self._next) > _LOST_SECONDS + seconds:
            self._next, self._drift = now + seconds, 1.0
            return now
        began, error = self._next, now - self._next
        omega = 2 * math.pi * _BANDWIDTH_HZ * seconds
        self._drift += omega * omega * error / seconds
        self._next = began + math.sqrt(2) * omega * error + self._drift * seconds
        return began

"""What strokes need to know of their reference, found out once."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.inference.model import Heard

Audio = NDArray[np.float32]

_ONSET_RATIO: Final = 10 ** (-46 / 20)
_LEAD_FRAMES: Final = 44
"""So much of the silence before an onset stays with the hit: the model knows hits that begin within 1 ms."""


class Known:
    """A reference's parts, and what a model heard in it so far."""

    def __init__(self, audio: Audio) -> None:
        """Part a reference (channels, frames)."""
        onset = _onset(audio)
        self.lead = audio[:, :onset]
        """The silence before the hit."""
        self.body = audio[:, onset:]
        """The hit."""
        self._heard: dict[int, Heard] = {}

    def head(self, channels: int, frames: int) -> Audio:
        """Return the hit's beginning (channels, frames), with silence after a shorter one."""
        head = np.zeros((channels, frames), np.float32)
        head[:, : self.body.shape[1]] = self.body[:, :frames]
        return head

    def keep(self, heard: Heard) -> None:
        """Remember what was heard in so many channels (channels, numbers), once where they are the same."""
        self._heard[len(heard)] = heard[: 1 if (heard == heard[0]).all() else len(heard)].copy()

    def heard(self, channels: int, rows: int) -> Heard | None:
        """Return what was heard in so many channels (rows, numbers), over and over; None if that was not yet."""
        heard = self._heard.get(channels)
        return None if heard is None else heard[np.arange(rows) % len(heard)]

    @property
    def heard_bytes(self) -> int:
        """How much memory all that takes which was heard."""
        return sum(heard.nbytes for heard in self._heard.values())


def _onset(audio: Audio) -> int:
    """Return the frames before the hit that are kept as they are."""
    loud = np.abs(audio).max(axis=0)
    return max(0, int(np.argmax(loud >= loud.max() * _ONSET_RATIO)) - _LEAD_FRAMES)

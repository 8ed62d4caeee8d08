"""A stroke that waits to be played, and where a note's sound came from."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Pad

Audio = NDArray[np.float32]


class Origin(Enum):
    """Where a note's sound came from."""

    FRESH = "fresh"
    """Made by the network and never played before."""
    FALLBACK = "fallback"
    """Made without the network, never played before: the pool had run dry."""
    REUSED = "reused"
    """Played before, as even the fallbacks had run out."""
    FROZEN = "frozen"
    """Played before, as the player wished."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A stroke that waits, and what it takes to make it again."""

    pad: Pad
    """The settings it was made with; `steps` is 0 for a fallback."""
    index: int
    velocity: int
    generation: int
    audio: Audio
    """Left and right, (2, frames), as `sides` returns them."""
    recorded: PadHit | None = None
    """Which of the pad's recorded strokes it started from, where there are several."""

    @property
    def bytes_held(self) -> int:
        """What it takes: half as much where both sides are the same."""
        return self.audio.nbytes if self.audio.strides[0] else self.audio[0].nbytes


def sides(channels: Audio) -> Audio:
    """Return one or two channels (channels, frames) as left and right (2, frames), one of them kept but once."""
    return np.broadcast_to(channels, (2, channels.shape[1]))

"""The attack of a reference: its strokes take over when it begins and how loud it is."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

ATTACK_FRAMES: Final = 2646
"""A hit's level is that of its first 60 ms."""
_HEADROOM: Final = 2.0
"""How much higher a stroke may peak than its reference."""
_QUIET: Final = 1e-12


@dataclass(frozen=True)
class Attack:
    """The attack of a reference hit."""

    running_peak: Audio
    """The largest sample so far, (channels, frames)."""
    power: float
    """The mean square of the attack."""
    peak: float
    """The largest sample of the whole hit."""

    @classmethod
    def of(cls, hit: Audio) -> Self:
        """Measure a hit (channels, frames)."""
        return cls(_running_peak(hit), _power(hit), _peak(hit))

    def apply_to(self, stroke: Audio) -> None:
        """Change a stroke (channels, frames) in place so that it rises as late and is as loud as this attack.

        A lapped transform spreads an attack to earlier frames (pre-echo). So within the attack the stroke's running
        peak, relative to its final one, is held to the reference's. Its level becomes the reference's: how levels
        vary is drawn elsewhere. A stroke with a higher crest factor, as of a distorted kick, peaks at most
        twice as high as its reference.
        """
        own = _running_peak(stroke)
        allowed = self.running_peak * (own[:, -1:] / np.maximum(self.running_peak[:, -1:], _QUIET))
        stroke[:, :ATTACK_FRAMES] *= np.minimum(1, allowed / np.maximum(own, _QUIET))
        level = np.sqrt(self.power / max(_power(stroke), _QUIET))
        stroke *= np.float32(min(level, _HEADROOM * self.peak / max(_peak(stroke), _QUIET)))


def _running_peak(hit: Audio) -> Audio:
    return np.maximum.accumulate(np.abs(hit[:, :ATTACK_FRAMES]), axis=1)


def _power(hit: Audio) -> float:
    return float(np.square(hit[:, :ATTACK_FRAMES]).mean())


def _peak(hit: Audio) -> float:
    return float(max(hit.max(), -hit.min()))

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
_SLACK: Final = 1.4
"""How far a stroke's running peak may exceed its reference's: real strokes are now sooner, now later."""
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

    def limit_rise(self, stroke: Audio) -> None:
        """Change a stroke (channels, frames) in place so that it rises as late as this attack, by `rise_gain`."""
        stroke[:, :ATTACK_FRAMES] *= self.rise_gain(stroke)

    def rise_gain(self, stroke: Audio) -> Audio:
        """Return the gain of the first frames of a stroke (channels, frames), with which it rises as late.

        A lapped transform spreads an attack to earlier frames (pre-echo). So within the attack the stroke's running
        peak, relative to its final one, is held near the reference's.
        """
        own = _running_peak(stroke)
        allowed = self.running_peak * (_SLACK * own[:, -1:] / np.maximum(self.running_peak[:, -1:], _QUIET))
        return np.asarray(np.minimum(1, allowed / np.maximum(own, _QUIET)), np.float32)

    def match_level(self, stroke: Audio) -> None:
        """Change a stroke (channels, frames) in place so that it is as loud as this attack.

        How levels vary is drawn elsewhere. A stroke with a higher crest factor, as of a distorted kick, peaks at most
        twice as high as its reference.
        """
        level = np.sqrt(self.power / max(_power(stroke), _QUIET))
        stroke *= np.float32(min(level, _HEADROOM * self.peak / max(_peak(stroke), _QUIET)))


def _running_peak(hit: Audio) -> Audio:
    return np.maximum.accumulate(np.abs(hit[:, :ATTACK_FRAMES]), axis=1)


def _power(hit: Audio) -> float:
    return float(np.square(hit[:, :ATTACK_FRAMES]).mean())


def _peak(hit: Audio) -> float:
    return float(max(hit.max(), -hit.min()))

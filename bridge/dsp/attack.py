"""The attack of a reference, of which its next strokes keep when they set in and how loud they are."""

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
    """What strokes need to know of their reference's attack."""

    rise: Audio
    """The largest sample so far, (channels, frames)."""
    power: float
    """The mean square."""
    peak: float
    """The largest sample of all the hit."""

    @classmethod
    def of(cls, hit: Audio) -> Self:
        """Measure a hit (channels, frames)."""
        return cls(_rise(hit), _power(hit), _peak(hit))

    def give_to(self, stroke: Audio) -> None:
        """Change a stroke (channels, frames), so that it sets in and is as loud as the hit that was measured.

        It rises no sooner, for a lapped transform spreads an attack over what is before it: until the attack is
        over, its largest sample so far, beside the largest of all, is at most its reference's. Its level becomes
        the reference's, as how levels spread is drawn, not left to chance; but a stroke that has more of a peak,
        as of a distorted kick, is not raised past twice its reference's.
        """
        own = _rise(stroke)
        allowed = self.rise * (own[:, -1:] / np.maximum(self.rise[:, -1:], _QUIET))
        stroke[:, :ATTACK_FRAMES] *= np.minimum(1, allowed / np.maximum(own, _QUIET))
        level = np.sqrt(self.power / max(_power(stroke), _QUIET))
        stroke *= np.float32(min(level, _HEADROOM * self.peak / max(_peak(stroke), _QUIET)))


def _rise(hit: Audio) -> Audio:
    return np.maximum.accumulate(np.abs(hit[:, :ATTACK_FRAMES]), axis=1)


def _power(hit: Audio) -> float:
    return float(np.square(hit[:, :ATTACK_FRAMES]).mean())


def _peak(hit: Audio) -> float:
    return float(np.abs(hit).max())

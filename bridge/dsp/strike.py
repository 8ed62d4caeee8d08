"""How a hit begins, which its strokes keep: when and how loud, how it runs, and its low end."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.attack import Attack
from ghostnote.bridge.dsp.attack_course import AttackCourse
from ghostnote.bridge.dsp.low_end import LowEnd

Audio = NDArray[np.float32]

_AS_SHARP: Final = 0.6
"""How much of what parts that do not add up as they did take from an attack is given back."""


class Strike:
    """The beginning of one hit."""

    def __init__(self, hit: Audio, partials: Audio) -> None:
        """Measure a hit (channels, frames) that begins at once, and its partials."""
        self._attack, self._course, self._low_end = Attack.of(hit), AttackCourse(hit), LowEnd(hit, partials)

    def apply_to(self, stroke: Audio, partials: Audio, sharper_db: float) -> None:
        """Give a stroke (channels, frames) in place this beginning, but for `sharper_db` of its first 5 ms.

        Where its `partials` are louder than the hit's, so may its low end be.
        """
        self._course.apply_to(stroke, _AS_SHARP, sharper_db)
        self._attack.limit_rise(stroke)
        self._low_end.limit(stroke, partials)
        self._attack.match_level(stroke)

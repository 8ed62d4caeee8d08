"""A drum of which several strokes were recorded: how its next strokes differ from the one that each starts from."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.timbre import difference_db, filtered
from ghostnote.bridge.inference.variation import StrokeChange
from ghostnote.bridge.inference.velocity_layers import MeasuredHit, VelocityLayers
from ghostnote.bridge.kit.hits import PadHit

Audio = NDArray[np.float32]

_MOST_COMPARED: Final = 4
"""Pairs of recorded strokes by which the amount is estimated; each takes the time of a stroke."""
_PREDICTED: Final = 3.0
"""Pairs that the model's prediction weighs as much as."""
_FACTORS: Final = (0.5, 2.0)
_OFFSET_DB: Final = 0.3
"""Added to both sides, so that copies of one file do not count as a drummer who never errs."""
_LEAST_SHARE: Final = 0.25
_SHARE_BETWEEN: Final = 0.5
"""Of its share in the amount that a stroke half-way between two layers has: the timbre there is itself a guess."""


class RecordedDrum:
    """A drum's recorded strokes, and what they say of its next ones."""

    def __init__(self, layers: VelocityLayers, stroke_of: Callable[[PadHit], Audio]) -> None:
        """Take measured strokes; `stroke_of` makes one from a recorded one, at the model's rate, by amount 1."""
        self._layers = layers
        self._amount = _amount(layers, stroke_of)
        self._level_deviations = layers.level_deviations()

    def change(self, hit: PadHit, velocity: int) -> StrokeChange:
        """Return how a stroke of this velocity differs from the recorded one that it starts from.

        Where several recorded strokes are in turn each is varied less, for they differ by themselves: each of n by 1/n
        of the amount, but never by less than a quarter of it; half-way between two layers by half of that.
        """
        between = self._layers.between(velocity)
        return StrokeChange(
            louder_db=self._layers.louder_db(hit, velocity),
            harder_db=self._layers.harder_db(hit, velocity),
            amount=self._amount * self._share(velocity) * (1 - between * (1 - _SHARE_BETWEEN)),
            level_deviations=self._level_deviations,
        )

    def finish(self, hit: PadHit, velocity: int, stroke: Audio, rate: int) -> Audio:
        """Return a stroke (channels, frames) with the timbre of its velocity, between those of the layers around it.

        It keeps so much of its own timbre that strokes differ no more than the recorded ones do (the shrunken smoothed
        bootstrap of Silverman & Young 1987), and nothing of it half-way between two layers.
        """
        # The variance of a difference between two strokes is twice that of one.
        kept = max(0.0, 1 - 2 * self._share(velocity) ** 2) ** 0.5 * (1 - self._layers.between(velocity))
        gain_db = self._layers.timbre_change(hit, velocity, kept)
        return stroke if gain_db is None else filtered(stroke, rate, gain_db)

    def _share(self, velocity: int) -> float:
        """Return the share of the amount for strokes of a velocity."""
        return max(_LEAST_SHARE, 1 / self._layers.repeats(velocity))


def _amount(layers: VelocityLayers, stroke_of: Callable[[PadHit], Audio]) -> float:
    """Return how much more recorded strokes of one layer differ than the model's next strokes differ from them."""
    pairs = layers.neighbours()
    if not pairs:
        return 1.0
    compared = pairs[:_MOST_COMPARED]
    real = [layers.difference_db(*pair) for pair in compared]
    made = [
        difference_db(layers.hits[hit].timbre, MeasuredHit.of(stroke_of(hit), layers.rate).timbre)
        for hit, _ in compared
    ]
    ratio = (float(np.median(real)) + _OFFSET_DB) / (float(np.median(made)) + _OFFSET_DB)
    return float(np.clip(ratio ** (len(pairs) / (len(pairs) + _PREDICTED)), *_FACTORS))

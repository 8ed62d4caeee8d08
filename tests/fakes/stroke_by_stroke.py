"""A source of strokes that makes several one by one, for tests."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.inference.variation import StrokeKey
from ghostnote.bridge.kit.kit import Pad


class StrokeByStroke:
    def stroke(self, pad: Pad, index: int, velocity: int) -> NDArray[np.float32]:
        raise NotImplementedError

    def strokes(self, pad: Pad, keys: Sequence[StrokeKey]) -> list[NDArray[np.float32]]:
        return [self.stroke(pad, key.index, key.velocity) for key in keys]

"""A source of strokes that makes several one by one, for tests."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.inference.variation import StrokeKey
from ghostnote.bridge.kit.kit import Pad


class StrokeByStroke(ABC):
    @abstractmethod
    def stroke(self, pad: Pad, index: int, velocity: int) -> NDArray[np.float32]:
        """Return one stroke."""

    def strokes(self, pad: Pad, keys: Sequence[StrokeKey]) -> list[NDArray[np.float32]]:
        return [self.stroke(pad, key.index, key.velocity) for key in keys]

"""How many strokes of a pad's velocity layer are made ahead of their use, by what is played and by the memory left."""

import math
from typing import Final

BUDGET_BYTES: Final = 96 * 2**20
"""What the strokes that are kept may take before it goes to what is played."""

_FULL: Final = 1.6
"""So many times the budget only one stroke of each layer that is played waits."""
_STOCK, _SCARCE_STOCK, _FULL_STOCK = (24, 1.2), (16, 0.4), (1, 0.0)
"""Strokes of a layer that wait at most, and for each that was played in the last seconds."""
_FALLBACKS, _FALLBACKS_IF_SCARCE = 3, 1
_ASKED: Final = 0.1


def is_asked(asked: float) -> bool:
    """Return whether a layer that was played `asked` times in the last seconds is in use."""
    return asked >= _ASKED


def most_strokes(asked: float, held: float, *, is_first: bool) -> int:
    """Return how many strokes of a layer may wait.

    `held` is what all strokes take, over the budget; above 1 it goes to what is played, and to the first layer.
    """
    limit, stock = _FULL_STOCK if held > _FULL else _SCARCE_STOCK if held > 1 else _STOCK
    least = int(is_asked(asked) or held <= 1 or is_first)
    return min(limit, least + (math.ceil(asked * stock) if is_asked(asked) else 0))


def most_fallbacks(held: float) -> int:
    """Return how many fallbacks of a pad may wait; `held` as in `most_strokes`."""
    return _FALLBACKS_IF_SCARCE if held > 1 else _FALLBACKS

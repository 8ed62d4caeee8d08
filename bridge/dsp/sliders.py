"""The sliders of `tweak`, by the names that producers use."""

from dataclasses import dataclass, fields
from typing import Final

MOST: Final = 2.0
"""How far each slider goes, either way."""


@dataclass(frozen=True, kw_only=True)
class Sliders:
    """What to change, each from -2 to 2; 0 leaves it as it is."""

    bright: float = 0.0
    """Highs above 4 kHz, 4 dB a step."""
    boomy: float = 0.0
    """Lows below 120 Hz, 4 dB a step."""
    warm: float = 0.0
    """150 to 500 Hz, 3 dB a step."""
    noisy: float = 0.0
    """Noise beside what rings, 4 dB a step."""
    punch: float = 0.0
    """The first 10 ms beside what follows, 3 dB a step."""
    hard: float = 0.0
    """The highs of those 10 ms, 4 dB a step."""
    longer: float = 0.0
    """The late decay, 1.3 times as long a step."""
    tighter: float = 0.0
    """The early decay, 1.2 times as short a step."""
    rough: float = 0.0
    """How much the level flutters, 1.4 times as much a step."""


SLIDERS: Final = tuple(field.name for field in fields(Sliders))
"""Their names."""

"""Which drums sound together at a moment of a loop, while earlier ones still ring."""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.features import FEATURE_RATE, FEATURES, features

WEIGHTS: Final = Path(__file__).with_name("mixture.npz")
"""The weights that `ghostnote.models.train.mixture` fits."""
LONGEST_SECONDS: Final = 0.75
"""What sounds of a stroke, or less where the next one comes."""
LEAST_SECONDS: Final = 0.03

_EDGES_HZ: Final = (0, 120, 250, 500, 1000, 2000, 4000, 8000, 22_050)
RISES: Final = len(_EDGES_HZ) - 1
MIXTURE_FEATURES: Final = FEATURES + 4 * RISES
"""How many numbers `mixture_features` returns."""
_WINDOW: Final = 1764
_GAP: Final = 132
_FLOOR_DB: Final = -70.0
_MOST_RISE_DB: Final = 40.0

Floats = NDArray[np.float64]


def mixture_features(mono: Floats, onset: int, end: int) -> Floats:
    """Return `MIXTURE_FEATURES` numbers for what is struck at frame `onset` of a loop (frames,) and ends at `end`.

    They are a hit's features up to the next stroke, how far eight bands rise over what sounded just before, and how
    loud they are in the first 120 ms. `mono` is at `FEATURE_RATE`, and not silent there.
    """
    last = min(end, onset + round(LONGEST_SECONDS * FEATURE_RATE))
    last = max(last, onset + round(LEAST_SECONDS * FEATURE_RATE))
    part = mono[onset:last]
    own = features(part) if part.any() else np.full(FEATURES, _FLOOR_DB)
    before = band_power(np.pad(mono, (_WINDOW + _GAP, 0))[onset : onset + _WINDOW])
    padded = np.pad(part, (0, 3 * _WINDOW))
    after, later, latest = (band_power(padded[at * _WINDOW : (at + 1) * _WINDOW]) for at in range(3))
    top = max(float(after.max()), 1e-12)
    rise = 10 * np.log10((after + 1e-7 * top) / (before + 1e-7 * top))
    levels = [np.maximum(10 * np.log10(power / top + 1e-12), _FLOOR_DB) for power in (after, later, latest)]
    return np.concatenate([own, np.clip(rise, -_MOST_RISE_DB, _MOST_RISE_DB), *levels])


def sounding(numbers: Floats) -> Floats:
    """Return the log odds of each class, (..., classes), that it is struck, for features (..., MIXTURE_FEATURES)."""
    w = _weights()
    hidden = np.maximum((numbers - w["mean"]) / w["deviation"] @ w["w1"] + w["b1"], 0.0)
    odds: Floats = hidden @ w["w2"] + w["b2"]
    return odds


def band_power(part: Floats) -> Floats:
    """Return the power of eight bands of a short part of a sound (frames,)."""
    spectrum = np.square(np.abs(np.fft.rfft(part * np.hanning(len(part)), 2048)))
    band = np.searchsorted(_EDGES_HZ, np.fft.rfftfreq(2048, 1 / FEATURE_RATE), side="right") - 1
    return np.asarray(np.bincount(np.minimum(band, RISES - 1), spectrum, RISES), np.float64)


@cache
def _weights() -> dict[str, Floats]:
    with np.load(WEIGHTS) as file:
        return {key: file[key].astype(np.float64) for key in file.files}

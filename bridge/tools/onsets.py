"""When drums are struck in a loop: onsets by aubio, placed to the frame by how fast the level rises."""

from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import MissingExtraError

Floats = NDArray[np.float64]

RATE: Final = 44_100

_METHODS: Final = (("hfc", 0.25), ("complex", 0.4))
"""Of aubio, with their thresholds: the first hears what is bright, the other also what is low under ringing cymbals."""
_WINDOW: Final = 1024
_HOP: Final = 128
_APART_SECONDS: Final = 0.03
_SILENCE_DB: Final = -60.0
_BEFORE_SECONDS: Final = 0.03
_AFTER_SECONDS: Final = 0.02
_STEP: Final = 32
_REACH: Final = 6
_LEAST_RISE_DB: Final = 2.5
_QUIET: Final = 1e-9


def find_onsets(mono: NDArray[np.float32]) -> list[int]:
    """Return the frames at which a loop (frames,) at 44.1 kHz is struck; `MissingExtraError` without aubio.

    Two detection functions (Bello et al. 2005) look for them. What both find is one onset, and what does not rise in
    any band is none.
    """
    aubio = _aubio()
    found: list[int] = []
    for method, threshold in _METHODS:
        found += _detected(aubio, mono, method, threshold)
    rises = _rises_db(mono)
    refined = sorted(_refined(rises, at) for at in found)
    onsets: list[int] = []
    for at in refined:
        if rises[min(at // _STEP, len(rises) - 1)] < _LEAST_RISE_DB:
            continue
        if onsets and at - onsets[-1] < _APART_SECONDS * RATE:
            continue
        onsets.append(at)
    return onsets


def _aubio() -> Any:
    try:
        import aubio
    except ImportError as error:
        raise MissingExtraError("slice", "slice") from error
    return aubio


def _detected(aubio: Any, mono: NDArray[np.float32], method: str, threshold: float) -> list[int]:
    """Return the onsets of one detection function, in frames."""
    detector = aubio.onset(method, _WINDOW, _HOP, RATE)
    detector.set_threshold(threshold)
    detector.set_minioi_s(_APART_SECONDS)
    detector.set_silence(_SILENCE_DB)
    padded = np.pad(mono, (0, _WINDOW + -len(mono) % _HOP)).astype(np.float32)
    return [int(detector.get_last()) for block in padded.reshape(-1, _HOP) if detector(block)[0]]


def _rises_db(mono: NDArray[np.float32]) -> Floats:
    """Return by how much the level after each step of 32 frames is above that before it, of the signal or its slope."""
    rises = []
    for view in (mono, np.diff(mono, prepend=np.float32(0))):
        power = np.square(np.pad(view, (0, -len(view) % _STEP)), dtype=np.float64).reshape(-1, _STEP).mean(axis=1)
        total = np.cumsum(np.pad(power, (4 * _REACH + 1, _REACH)))
        at = np.arange(len(power)) + 4 * _REACH
        before = (total[at] - total[at - 4 * _REACH]) / (4 * _REACH)
        after = (total[at + _REACH] - total[at]) / _REACH
        floor = _QUIET + 1e-6 * power.max()
        rises.append(10 * np.log10((after + floor) / (before + floor)))
    return np.asarray(np.maximum(*rises))


def _refined(rises_db: Floats, at: int) -> int:
    """Return the frame near `at` where the level rises most."""
    first = max(0, (at - round(_BEFORE_SECONDS * RATE)) // _STEP)
    last = max(first + 1, min((at + round(_AFTER_SECONDS * RATE)) // _STEP, len(rises_db)))
    return (first + int(rises_db[first:last].argmax())) * _STEP if first < len(rises_db) else at


def spans(onsets: list[int], frames: int) -> list[tuple[int, int]]:
    """Return where each stroke begins and where the next one comes."""
    return list(pairwise([*onsets, frames]))

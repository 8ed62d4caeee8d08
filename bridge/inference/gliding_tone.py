"""The main partial of a new kick or tom, which glides as its shape says."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.shape import GROUPS

Array = NDArray[np.float64]

_UNIT_HZ: Final = 100.0
_TONE_TOP_HZ: Final = 400.0
_SMOOTH_FRAMES: Final = 3
_UNEXPLAINED: Final = 0.3
"""Of what the shape's tone leaves unexplained in its bands, the rest rings with it."""
_GLIDE_FRAMES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_GLIDE_OCTAVES: Final = (-0.2, 3.0)
_SILENT: Final = 1e-18


@dataclass(frozen=True)
class Tone:
    """A main partial that glides."""

    hz: Array
    """(frames of the shape,)."""
    amplitude: Array
    """(frames of the shape,)."""
    t60: float
    """How it decays after that."""


def gliding_tone(shape: NDArray[np.float32], power: Array, modes: Array, t60: Array) -> tuple[Tone, Array]:
    """Return the main partial of a drum, at the pitch of its strongest low mode, and the other modes."""
    share = 1 - _UNEXPLAINED * (1 - np.square(np.clip(shape[GROUPS + 3 :].astype(float), 0, 1)))
    held = (share * power[: len(share)]).sum(axis=0)
    octaves = _glide(shape[GROUPS].astype(float), held)
    smooth = np.exp(_smoothed(np.log(held + _SILENT)))
    low = np.flatnonzero(modes[:, 0] < _TONE_TOP_HZ) if len(modes) else np.array([], int)
    if low.size:
        main = int(low[modes[low, 1].argmax()])
        centre = float((octaves * held).sum() / max(held.sum(), _SILENT))
        octaves = octaves - centre + np.log2(modes[main, 0] / _UNIT_HZ)
        modes = np.delete(modes, main, axis=0)
    return Tone(_UNIT_HZ * 2.0**octaves, np.sqrt(2 * smooth), float(t60[0])), modes


def _glide(octaves: Array, weight: Array) -> Array:
    """Return the exponential glide that is nearest to a pitch (frames,), by the weight of its frames."""
    frames, root = np.arange(len(octaves)), np.sqrt(weight / max(float(weight.max()), _SILENT)) + 1e-6
    found = []
    for fall in _GLIDE_FRAMES:
        terms = np.stack([np.ones_like(octaves), np.exp(-frames / fall)], axis=1)
        solved, *_ = np.linalg.lstsq(terms * root[:, None], octaves * root, rcond=None)
        end, glide = solved[0], float(np.clip(solved[1], *_GLIDE_OCTAVES))
        course = end + glide * terms[:, 1]
        course += ((octaves - course) * weight).sum() / max(float(weight.sum()), _SILENT)
        found.append((float((np.square(course - octaves) * weight).sum()), course))
    return np.asarray(min(found, key=lambda one: one[0])[1])


def _smoothed(course: Array) -> Array:
    """Return a course (frames,) whose frames after the attack are means over neighbours."""
    padded = np.pad(course, _SMOOTH_FRAMES, mode="edge")
    mean = np.convolve(padded, np.full(2 * _SMOOTH_FRAMES + 1, 1 / (2 * _SMOOTH_FRAMES + 1)), "valid")
    fade = np.clip((np.arange(len(course)) - _SMOOTH_FRAMES) / _SMOOTH_FRAMES, 0, 1)
    return np.asarray(course * (1 - fade) + mean * fade)

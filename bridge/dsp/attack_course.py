"""How the power of a hit runs in its first milliseconds, which its strokes keep.

A filter that is drawn at random rings before it settles, so that a strike comes late, or as two; and what is made of
the residual does not add up with the partials as it did. Both soften the attack, where a drummer's strokes are as sharp
as each other.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.shape import RATE

Audio = NDArray[np.float32]
Array = NDArray[np.float32]

FRAMES: Final = 4096
"""What is looked at, 93 ms."""
_STEP: Final = 16
"""Frames between two values of a course."""
_LEAST_REACH, _REACH_SHARE = 5.0, 0.3
"""A value is the mean of up to five on either side, 2 ms, and of ever more later on: a gain that followed the beats of
two partials would make a third of them."""
_FADE: Final = 640
_FADE_OUT: Final = np.cos(np.linspace(0, np.pi / 2, _FADE, dtype=np.float32)) ** 2
_WHOLE_SECONDS, _END_SECONDS = 0.05, 0.09
_STRIKE_SECONDS, _STRIKE_EDGE_SECONDS = 0.0065, 0.001
_MOST_NEPERS: Final = 1.7
"""No value is changed by more than 15 dB."""
_FLOOR: Final = 1e-5
_SILENT: Final = 1e-12


class AttackCourse:
    """The course of one hit."""

    def __init__(self, hit: Audio) -> None:
        """Measure a hit (channels, frames) that begins at once."""
        power = _course(hit)
        self._share = power / np.maximum((power * _WEIGHT).sum(), _SILENT)
        self._sounds = float(power.max()) > _SILENT

    def apply_to(self, stroke: Audio, strength: float, sharper_db: float = 0.0) -> None:
        """Change a stroke (channels, frames) in place so that its power runs as this hit's, as a share of the whole.

        `strength` is from 0, no change, to 1. The first 5 ms come `sharper_db` louder than that.
        """
        power = _course(stroke)
        total = float((power * _WEIGHT).sum())
        if not self._sounds or total < _SILENT:
            return
        floor = _FLOOR * float(self._share.max())
        nepers = 0.5 * np.log((self._share + floor) / (power / total + floor))
        gain = np.exp(strength * _WEIGHT * np.clip(nepers, -_MOST_NEPERS, _MOST_NEPERS) + sharper_db * _STRIKE)
        frames = min(FRAMES, stroke.shape[1])
        stroke[:, :frames] *= np.interp(_PLACES, _MIDDLES, gain)[:frames].astype(np.float32)


def _course(hit: Audio) -> Array:
    """Return the power of the analytic signal, (values,): that of a sinusoid does not go up and down."""
    head = np.zeros((len(hit), FRAMES), np.float32)
    found = hit[:, :FRAMES]
    head[:, : found.shape[1]] = found
    head[:, -_FADE:] *= _FADE_OUT
    spectrum = np.fft.rfft(head)
    spectrum[:, 0] = 0
    turned = np.fft.irfft(-1j * spectrum, FRAMES)
    power = (np.square(head) + np.square(turned)).sum(axis=0).reshape(-1, _STEP).mean(axis=1)
    # Not a product of matrices, whose rounding depends on the number of threads.
    return np.asarray((_SMOOTHING * power).sum(axis=1), np.float32)


def _smoothing() -> Array:
    """Return the means (values, values) that smooth a course: under a Hann window as wide as the time has come far."""
    place = np.arange(FRAMES // _STEP)
    reach = np.maximum(_LEAST_REACH, _REACH_SHARE * place)[:, None]
    apart = np.abs(place - place[:, None])
    window = np.where(apart < reach, 1 + np.cos(np.pi * apart / reach), 0)
    return np.asarray(window / window.sum(axis=1, keepdims=True), np.float32)


def _weight() -> Array:
    """Return how much each value counts: less and less towards the end, where all is left as it is."""
    passed = (_MIDDLES / RATE - _WHOLE_SECONDS) / (_END_SECONDS - _WHOLE_SECONDS)
    return (np.cos(np.clip(passed, 0, 1) * np.pi / 2) ** 2).astype(np.float32)


def _strike() -> Array:
    """Return the nepers of each value for a decibel of the first 5 ms."""
    nepers = np.log(10) / 20 / (1 + np.exp((_MIDDLES / RATE - _STRIKE_SECONDS) / _STRIKE_EDGE_SECONDS))
    return np.asarray(nepers, np.float32)


_PLACES: Final = np.arange(FRAMES)
_MIDDLES: Final = np.arange(FRAMES // _STEP) * _STEP + (_STEP - 1) / 2
_SMOOTHING: Final = _smoothing()
_WEIGHT: Final = _weight()
_STRIKE: Final = _strike()

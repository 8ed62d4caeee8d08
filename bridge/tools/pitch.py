"""The pitch of a drum that plays a melody, and how clear it is."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.arguments import checked

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

CLEAR: Final = 0.3
"""Toms, bells and bass drums have at least so much of their energy at their pitch; of hats and cymbals few have."""
LEAST_CLEAR: Final = 0.1
"""A hit with less has no pitch that anyone could sing."""
PITCH_HZ: Final = (30.0, 6_000.0)
"""What can be the pitch of a drum: below is rumble, above is brightness."""
_SETTLED_SECONDS: Final = 0.03
_SEEN_SECONDS: Final = 0.7
_LEAST_SHARE: Final = 0.1
_SIZE: Final = 2**17
_WIDTH: Final = 2 ** (0.5 / 12)
_WIDTH_HZ: Final = 8.0
_TINY: Final = 1e-20
_CHOOSE: Final = "choose a tom, a bell, or an 808's kick"


@dataclass(frozen=True)
class Pitch:
    """Where a drum sounds, and how surely."""

    hz: float
    """Of its strongest partial, once it has settled."""
    clarity: float
    """The share of its energy that lies there, from then on, 0 to 1."""


def drum_pitch(hit: ArrayLike, rate: int) -> Pitch:
    """Return the pitch of a hit (channels, frames) at `rate` Hz.

    It is the vertex of the strongest line's peak in the logarithm of the spectrum, once the first 30 ms, in which a
    drum glides, are over. What lies within half a semitone, or 8 Hz, counts as the line. `InputError` for what is not
    sound, and where hardly anything of it rings, or at many pitches.
    """
    mono = resample(checked(hit, rate).mean(axis=0, keepdims=True), rate, RATE)
    body = mono[:, onset_frame(mono) :][:, : round(_SEEN_SECONDS * RATE)]
    partials = split(body)[0][0]
    if np.square(partials).sum() < _LEAST_SHARE * np.square(body).sum():
        raise InputError(f"hardly anything of it rings, so that it has no pitch: {_CHOOSE}")
    hz = strongest_hz(partials, PITCH_HZ)
    bins = np.arange(_SIZE // 2 + 1) * (RATE / _SIZE)
    near = (bins > hz / _WIDTH - _WIDTH_HZ) & (bins < hz * _WIDTH + _WIDTH_HZ)
    clarity = float((_power(partials)[near]).sum() / (_power(body[0]).sum() + _TINY))
    if clarity < LEAST_CLEAR:
        raise InputError(
            f"{clarity:.0%} of its energy is at its strongest line, {hz:.0f} Hz, and a pitch needs {LEAST_CLEAR:.0%}: "
            f"it has no pitch; {_CHOOSE}"
        )
    return Pitch(hz, clarity)


def strongest_hz(sound: Audio, between_hz: tuple[float, float]) -> float:
    """Return the frequency of the strongest line of a sound (frames,) between two frequencies, once it has settled."""
    level = np.log(np.sqrt(_power(sound)) + 1e-12)
    low, high = (round(hz * _SIZE / RATE) for hz in between_hz)
    peak = low + int(level[low : high + 1].argmax())
    left, middle, right = level[peak - 1 : peak + 2].tolist()
    bend = left - 2 * middle + right
    return float((peak + (0.5 * (left - right) / bend if bend < 0 else 0.0)) * RATE / _SIZE)


def _power(sound: Audio) -> Array:
    """Return the power spectrum of a sound (frames,) once it has settled."""
    start = min(round(_SETTLED_SECONDS * RATE), len(sound) // 2)
    ring = sound[start : start + round(_SEEN_SECONDS * RATE)]
    return np.asarray(np.square(np.abs(np.fft.rfft(ring * np.hanning(len(ring) + 2)[1:-1], _SIZE))))

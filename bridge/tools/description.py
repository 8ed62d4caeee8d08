"""What a tool says of the hit that it was given: its class, its pitch and its length."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.classifier import Guess, class_by_name, class_by_sound
from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.kinds import find_class
from ghostnote.bridge.tools.pitch import PITCH_HZ

Audio = NDArray[np.float32]

_HEARD_SECONDS: Final = 0.6
_ATTACK_SECONDS: Final = 0.02
_LEAST_SHARE: Final = 0.1
_SIZE: Final = 2**16
_SPEAKERS: Final = {1: "mono", 2: "stereo"}


def class_of(path: Path, audio: Audio, rate: int, given: str | None = None) -> Guess:
    """Return a hit's class: the one given, or else the name's, or else what it sounds like; `InputError`."""
    if given is not None:
        return Guess(find_class(given), "given")
    return class_by_name(path) or class_by_sound(audio, rate)


def pitch_hz(audio: Audio, rate: int) -> float | None:
    """Return the frequency of the strongest partial of a hit (channels, frames), or None where little of it rings."""
    mono = resample(mixdown(audio, 1), rate, RATE)
    hit = mono[:, onset_frame(mono) :][:, : round(_HEARD_SECONDS * RATE)]
    partials = split(hit)[0][0]
    if np.square(partials).sum() < _LEAST_SHARE * np.square(hit).sum():
        return None
    start = round(_ATTACK_SECONDS * RATE)
    body = partials[start:] if len(partials) > 2 * start else partials
    level = np.log(np.abs(np.fft.rfft(body * np.hanning(len(body) + 2)[1:-1], _SIZE)) + 1e-12)
    low, high = (round(hz * _SIZE / RATE) for hz in PITCH_HZ)
    peak = low + int(level[low:high].argmax())
    # The vertex of a parabola through the highest bin and its neighbours.
    left, middle, right = level[peak - 1 : peak + 2].tolist()
    bend = left - 2 * middle + right
    return float((peak + (0.5 * (left - right) / bend if bend < 0 else 0.0)) * RATE / _SIZE)


def summary(audio: Audio, rate: int, guess: Guess, hz: float | None) -> str:
    """Return what a hit (channels, frames) is, in words."""
    sure = f", {guess.probability:.0%} sure" if guess.source == "sound" else ""
    channels = _SPEAKERS.get(len(audio), f"{len(audio)} channels")
    pitch = f"{hz:.0f} Hz" if hz else "no pitch"
    drum = guess.drum_class.replace("_", " ")
    return f"{drum} (by {guess.source}{sure}), {pitch}, {audio.shape[1] / rate:.2f} s, {channels} at {rate} Hz"


def brightness_hz(audio: Audio, rate: int) -> float:
    """Return the centroid of the power spectrum of a hit (channels, frames), of all channels together, in Hz."""
    power = np.square(np.abs(np.fft.rfft(audio))).sum(axis=0)
    hz = np.fft.rfftfreq(audio.shape[1], 1 / rate)
    return float((hz * power).sum() / max(float(power.sum()), 1e-30))

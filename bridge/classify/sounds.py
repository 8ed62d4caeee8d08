"""Sounds of hits, measured to compare them: which are strokes of one drum."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.classifier import Guess, guess_from, why_not_a_hit
from ghostnote.bridge.classify.features import FEATURE_RATE, features, mono_for_features
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.velocity import hit_level_db
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.io.audio_file import read_audio

_THREADS: Final = 4
_PITCH_HZ: Final = (40.0, 500.0)
_PITCH_SECONDS: Final = (0.02, 0.4)


@dataclass(frozen=True, eq=False)
class Sound:
    """What of a hit's sound tells drums apart."""

    features: NDArray[np.float64]
    level_db: float
    pitch_hz: float
    """Of the strongest partial of its body."""
    not_a_hit: str | None = None
    """Why it is none, as a loop."""

    @property
    def guess(self) -> Guess:
        """The class that it sounds like."""
        return guess_from(self.features)

    def distance(self, other: "Sound") -> float:
        """Return how far apart two sounds are in dB, whatever their levels."""
        return float(np.sqrt(np.mean(np.square(self.features - other.features))))


def measure(path: Path) -> Sound:
    """Return the sound of a file; `AudioFileError` where it cannot be read."""
    audio, rate = read_audio(path)
    mono = mono_for_features(audio, rate)
    if not np.abs(mono).max() > 0:
        raise AudioFileError(f"{path}: is silent in mono: its channels cancel each other out")
    return Sound(features(mono), hit_level_db(audio, rate), body_pitch_hz(mono), why_not_a_hit(mono))


def measure_all(paths: Iterable[Path]) -> dict[Path, Sound | str]:
    """Return the sound of each file, or why it has none."""

    def measured(path: Path) -> Sound | str:
        try:
            return measure(path)
        except AudioFileError as error:
            return str(error)
        except MemoryError:
            return f"{path}: needs more memory than there is; cut it"

    wanted = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip(wanted, pool.map(measured, wanted), strict=True))


def alike(sounds: Sequence[Sound], farthest_db: float) -> list[list[int]]:
    """Return sounds (their places) in sets, within which each has another one nearer than `farthest_db`."""
    left, sets = list(range(len(sounds))), []
    while left:
        near, at = [left.pop(0)], 0
        while at < len(near):
            found = [other for other in left if sounds[near[at]].distance(sounds[other]) <= farthest_db]
            near += found
            left = [other for other in left if other not in found]
            at += 1
        sets.append(sorted(near))
    return sets


def body_pitch_hz(mono: NDArray[np.float64]) -> float:
    """Return the frequency of the strongest partial of a hit's body, of a sound (frames,) at `FEATURE_RATE`."""
    onset = onset_frame(mono[None])
    first, last = (onset + round(seconds * FEATURE_RATE) for seconds in _PITCH_SECONDS)
    body = mono[first:last] if len(mono) > first else mono[onset:]
    size = 2**16
    spectrum = np.abs(np.fft.rfft(body * np.hanning(len(body)), size))
    low, high = (round(hz * size / FEATURE_RATE) for hz in _PITCH_HZ)
    return float((low + int(spectrum[low:high].argmax())) * FEATURE_RATE / size)

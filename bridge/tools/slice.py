"""A drum loop becomes its strokes: when each comes, how hard it is, which drums are struck together, and which again.

What sounds together is not taken apart: a stroke of kick and hat is one sound, and it is said to be both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.classify.features import FEATURES, features
from ghostnote.bridge.classify.mixture import sounding
from ghostnote.bridge.classify.sounds import Sound, alike, body_pitch_hz
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.conversion import mixdown, resample
from ghostnote.bridge.dsp.velocity import level_velocity
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.tools.arguments import checked
from ghostnote.bridge.tools.onsets import RATE, find_onsets, spans

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]

_LEAD_SECONDS: Final = 0.001
_FADE_SECONDS: Final = 0.004
_AUDIBLE: Final = 10 ** (-60 / 20)
_LEVEL_SECONDS: Final = 0.05
_SOFTEST_DRUM_DB: Final = 30.0
"""No drum that is struck hard is softer than another by more: hats are by 20 to 30."""
_ALIKE_DB: Final = 14.0
"""Strokes of one class in a loop are of one drum, unless they sound quite different."""
_PITCHED: Final = ("tom", "perc")
"""Of these a loop has several, which their pitches tell apart."""
_SAME_PITCH: Final = 1.08
_HEAVIEST_FIRST: Final = (
    *("kick", "snare", "clap", "tom", "crash", "rim", "perc", "open_hat", "ride", "closed_hat", "pedal_hat"),
)
"""The classes, those first that are loudest in most mixes."""
_MOST_LIMBS: Final = 3
_EXCLUSIVE: Final = (("closed_hat", "open_hat", "pedal_hat"),)
"""Of these a drummer strikes one at a time."""
MOST_SECONDS: Final = 600.0
"""A longer file is a song, not a loop."""
_LONGEST_SECONDS, _LEAST_SECONDS = 0.75, 0.03
"""What of a stroke is compared with others."""


@dataclass(frozen=True, eq=False)
class Stroke:
    """One moment of a loop at which something is struck."""

    start: int
    """The frame of its onset, at the loop's rate."""
    end: int
    """The frame at which the next stroke comes, or it has died away."""
    audio: Audio
    """(channels, frames): from just before its onset to its end, with what of earlier ones still rings."""
    classes: tuple[str, ...]
    """The drums that are struck, the surest first."""
    probability: float
    """That exactly these are struck, 0 to 1, by the network's own account."""
    velocity: int
    """1 to 127, by its level below the loudest stroke whose heaviest drum is of the same class.

    What is faint is not loud for being alone.
    """
    sound: int
    """Strokes with the same number sound alike, as of the same drum."""


def heaviest_first(classes: Sequence[str]) -> tuple[str, ...]:
    """Return classes that are struck together, that first which is loudest in most mixes."""
    return tuple(sorted(classes, key=_HEAVIEST_FIRST.index))


def slice_loop(loop: ArrayLike, rate: int) -> list[Stroke]:
    """Return the strokes of a loop (channels, frames) at `rate` Hz, in the order of time.

    `InputError` for what is silent, longer than ten minutes, or has no onset; `MissingExtraError` without aubio.
    """
    audio = checked(loop, rate, noun="loop")
    if audio.shape[1] > MOST_SECONDS * rate:
        raise InputError(f"the loop lasts {audio.shape[1] / rate:.0f} s: cut it to {MOST_SECONDS:.0f} s at most")
    mono = resample(mixdown(audio, 1), rate, RATE)[0]
    onsets = find_onsets(mono)
    if not onsets:
        raise InputError("no stroke is found in it: is it a drum loop?")
    parts = spans(onsets, len(mono))
    wide = np.asarray(mono, np.float64)
    odds = sounding(mono, onsets)
    levels_db = [_level_db(wide[start:end]) for start, end in parts]
    pitches = [body_pitch_hz(wide[start:end]) for start, end in parts]
    classes = [_classes(row) for row in odds]
    sounds = _sounds([_features(wide, *part) for part in parts], pitches, classes)
    velocities = _velocities(levels_db, classes)
    scale = rate / RATE
    strokes = []
    for (start, end), names, sure, velocity, sound in zip(
        parts, classes, map(_certainty, odds), velocities, sounds, strict=True
    ):
        first, cut = _cut(audio, rate, round(start * scale), round(end * scale))
        strokes.append(Stroke(first, first + cut.shape[1], cut, names, sure, velocity, sound))
    return strokes


def _cut(audio: Audio, rate: int, start: int, end: int) -> tuple[int, Audio]:
    """Return the frame of an onset, and what sounds of it up to its end, faded at both ends."""
    end = min(end, audio.shape[1])
    lead = min(start, round(_LEAD_SECONDS * rate))
    last = end if end == audio.shape[1] else max(start + 1, end - round(_LEAD_SECONDS * rate))
    part = audio[:, start - lead : last].copy()
    loud = np.flatnonzero(np.abs(part).max(axis=0) > _AUDIBLE * np.abs(part).max())
    part = part[:, : int(loud[-1]) + 1] if loud.size else part
    fade = min(round(_FADE_SECONDS * rate), part.shape[1] // 2)
    part[:, :lead] *= np.linspace(0, 1, part[:, :lead].shape[1], dtype=np.float32)
    part[:, part.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return start, part


def _features(mono: Floats, start: int, end: int) -> Floats:
    """Return the features of what sounds of a stroke up to the next one."""
    last = max(min(end, start + round(_LONGEST_SECONDS * RATE)), start + round(_LEAST_SECONDS * RATE))
    part = mono[start:last]
    return features(part) if part.any() else np.zeros(FEATURES)


def _classes(odds: Floats) -> tuple[str, ...]:
    """Return the likeliest class, and further ones that are more likely than not, the surest first."""
    order = [int(at) for at in np.argsort(-odds)]
    found: list[str] = []
    for at in order[:_MOST_LIMBS]:
        name = CLASS_NAMES[at]
        rivals = {other for group in _EXCLUSIVE if name in group for other in group}
        if not found or (odds[at] > 0 and not rivals & set(found)):
            found.append(name)
    return tuple(found)


def _certainty(odds: Floats) -> float:
    """Return how probable it is that exactly the classes with even or better odds are struck."""
    return float(np.prod(1 / (1 + np.exp(-np.abs(odds)))))


def _level_db(part: Floats) -> float:
    head = part[: round(_LEVEL_SECONDS * RATE)]
    return float(10 * np.log10(np.square(head).sum() + 1e-12))


def _velocities(levels_db: list[float], classes: list[tuple[str, ...]]) -> list[int]:
    least = max(levels_db) - _SOFTEST_DRUM_DB
    loudest: dict[str, float] = {}
    keys = [heaviest_first(names)[0] for names in classes]
    for key, level in zip(keys, levels_db, strict=True):
        loudest[key] = max(loudest.get(key, least), level)
    return [level_velocity(min(0.0, level - loudest[key])) for key, level in zip(keys, levels_db, strict=True)]


def _sounds(numbers: list[Floats], pitches: list[float], classes: list[tuple[str, ...]]) -> list[int]:
    """Return a number for each stroke, the same for strokes of the same classes that sound like one drum."""
    found = [0] * len(classes)
    last = 0
    for key in dict.fromkeys(tuple(sorted(names)) for names in classes):
        places = [at for at, names in enumerate(classes) if tuple(sorted(names)) == key]
        sounds = [Sound(numbers[at], 0.0, pitches[at]) for at in places]
        for near in alike(sounds, _ALIKE_DB):
            for one in _by_pitch(near, sounds) if key[0] in _PITCHED and len(key) == 1 else [near]:
                for at in one:
                    found[places[at]] = last
                last += 1
    return found


def _by_pitch(places: list[int], sounds: list[Sound]) -> list[list[int]]:
    """Return places in sets, within which pitches that follow each other are nearly the same."""
    sets: list[list[int]] = []
    for at in sorted(places, key=lambda place: sounds[place].pitch_hz):
        if sets and sounds[at].pitch_hz < sounds[sets[-1][-1]].pitch_hz * _SAME_PITCH:
            sets[-1].append(at)
        else:
            sets.append([at])
    return sets

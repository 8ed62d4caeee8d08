"""Which drum a sound file holds, by its name or by its sound, and whether it is a drum hit at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.classify.features import FEATURE_RATE, attacks, features, mono_for_features, second_half_db
from ghostnote.bridge.drums import CLASS_NAMES, class_from_name, may_be_overheads

WEIGHTS: Final = Path(__file__).with_name("classifier.npz")
"""The weights that `ghostnote.models.train.classifier` fits."""
UNSURE: Final = 0.5
"""Below this probability a guess by sound is worth a warning."""

_MOST_ATTACKS: Final = 2
_HELD_SECONDS: Final = 1.0
_HELD_DB: Final = -6.0
Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Guess:
    """A drum class and what it was guessed from."""

    drum_class: str
    source: str
    """`name`, `folder`, `sound`, or `given` by the user."""
    probability: float = 1.0
    """0 to 1; below 1 only for a guess by sound."""

    @property
    def phrase(self) -> str:
        """What it sounds like, in words."""
        drum = self.drum_class.replace("_", " ")
        return f"sounds like {'an' if drum[0] in 'aeio' else 'a'} {drum}, {self.probability:.0%} sure"


def class_by_name(path: PurePath) -> Guess | None:
    """Return the class that a path's file name, or else its nearest folder, names, or None."""
    named = class_from_name(path.stem)
    folder = next((part for part in reversed(path.parent.parts) if class_from_name(part)), None)
    if named and not (folder and may_be_overheads(path.stem)):
        return Guess(named, "name")
    # Both together: "OH 1" or "open 1" in a folder of hats is an open hat.
    both = class_from_name(f"{folder} {path.stem}") if folder else None
    return Guess(both, "folder") if both else None


def class_by_sound(audio: Audio, rate: int) -> Guess:
    """Return the most probable class of a hit `(channels, frames)`, by a small network on `features`."""
    return guess_from(features(mono_for_features(audio, rate)))


def guess_from(numbers: NDArray[np.float64]) -> Guess:
    """Return the most probable class for features (FEATURES,)."""
    chances = probabilities(numbers)
    best = int(chances.argmax())
    return Guess(CLASS_NAMES[best], "sound", float(chances[best]))


def probabilities(
    numbers: NDArray[np.float64], weights: Mapping[str, NDArray[np.float64]] | None = None
) -> NDArray[np.float64]:
    """Return the probability of each class for features `(..., FEATURES)`, by the shipped `weights` or others."""
    w = weights or _weights()
    hidden = np.maximum((numbers - w["mean"]) / w["deviation"] @ w["w1"] + w["b1"], 0.0)
    out = hidden @ w["w2"] + w["b2"]
    chances = np.exp(out - out.max(axis=-1, keepdims=True))
    normal: NDArray[np.float64] = chances / chances.sum(axis=-1, keepdims=True)
    return normal


def not_a_hit(audio: Audio, rate: int) -> str | None:
    """Return why a sound `(channels, frames)` is not a single hit, or None if it may be one."""
    return why_not_a_hit(mono_for_features(audio, rate))


def why_not_a_hit(mono: NDArray[np.float64]) -> str | None:
    """Return the same for the sound that features are taken of (frames,)."""
    count = attacks(mono)
    if count > _MOST_ATTACKS:
        return f"it has {count} attacks, like a loop or a melody"
    trimmed = _without_silence(mono)
    if len(trimmed) > _HELD_SECONDS * FEATURE_RATE and second_half_db(trimmed) > _HELD_DB:
        return "it does not decay, like a held note or a loop"
    return None


def _without_silence(mono: NDArray[np.float64]) -> NDArray[np.float64]:
    audible = np.flatnonzero(np.abs(mono) > 1e-3 * np.abs(mono).max())
    return mono[audible[0] : audible[-1] + 1]


@cache
def _weights() -> dict[str, NDArray[np.float64]]:
    with np.load(WEIGHTS) as file:
        return {key: file[key].astype(np.float64) for key in file.files}

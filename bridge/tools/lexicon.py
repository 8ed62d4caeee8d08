"""What words of producers mean: kinds of drum, and how a drum sounds. The words are in `lexicon.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.kinds import KINDS

DESCRIPTORS: Final = ("bright", "boomy", "long", "noisy", "hard", "high")
"""What words change: centroid, share of the lows, decay, share of noise, centroid of the attack, and pitch."""

Meaning = Mapping[str, float]
"""How far a word moves descriptors, in standard deviations of the drums of a class."""

_MAKES: Final = ("electronic", "acoustic")
"""Words of their own, which may be negated."""
_KIND_CLASS: Final = {kind.name: kind.drum_class for kind in KINDS}


@cache
def table(section: str) -> Mapping[str, Any]:
    """Return what each word or name of a section means."""
    with Path(__file__).with_name("lexicon.toml").open("rb") as file:
        entries = tomllib.load(file)[section]
    separator = "," if section in ("kind", "class") else None
    whole = section == "phrase"
    return {
        word: meaning for words, meaning in entries.items() for word in ([words] if whole else words.split(separator))
    }


def meaning_of(word: str) -> Meaning:
    """Return how far a word moves descriptors: nothing for words without a meaning."""
    return {**table("sound").get(word, {}), **table("style").get(word, {})}


@cache
def drum_of(text: str) -> tuple[str, str | None] | None:
    """Return the class and kind that a name means, in the singular or plural; None for other names."""
    kinds = {name.replace("_", " "): name for name in _KIND_CLASS if name.split("_")[0] not in _MAKES}
    kinds |= dict(table("kind"))
    classes = {name.replace("_", " "): name for name in CLASS_NAMES} | dict(table("class"))
    for name in (text, text.removesuffix("s")):
        if name in classes:
            return classes[name], None
        if name in kinds:
            return _KIND_CLASS[kinds[name]], kinds[name]
    return None


def class_of_kind(kind: str) -> str:
    """Return the class of a kind's name."""
    return _KIND_CLASS[kind]

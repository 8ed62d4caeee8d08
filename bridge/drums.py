"""The drum classes: one table for the model's labels, file names and General MIDI notes."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True)
class DrumClass:
    """One kind of drum, as the model, a file name and a MIDI keyboard know it."""

    name: str
    """The name used in kits, commands and the model's card."""
    aliases: tuple[str, ...]
    """Words in file and folder names that mean this class."""
    notes: tuple[int, ...]
    """General MIDI percussion notes."""


_PERCUSSION: Final = (
    *(
        "perc",
        "percussion",
        "cowbell",
        "cow bell",
        "conga",
        "bongo",
        "tambourine",
        "shaker",
        "clave",
        "claves",
        "woodblock",
    ),
    *("wood block", "vibraslap", "cuica", "whistle", "castanet", "hand drum", "tabla"),
    *("timbale", "agogo", "maraca", "maracas", "guiro", "cabasa", "triangle", "djembe", "cajon"),
)

_HATS: Final = ("hihat", "hat", "hh", "ch")
_OH_HATS: Final = ("hh oh", "oh hh", "hat oh", "oh hat", "hihat oh", "oh hihat")
_OPEN_HATS: Final = (
    "hh open",
    "open hihat",
    "open hh",
    "half open",
    "semi open",
    "halfopen",
    "semiopen",
    "quarter open",
)
_FOOT_HATS: Final = ("foot hihat", "hihat foot", "foot hh", "hh foot")
_PEDAL_HATS: Final = ("pedal hihat", "pedal hh", "foot hat", "hat foot", *_FOOT_HATS)
_SHORT: Final = frozenset(["bd", "sd", "snr", "cp", "hh", "ch", "chh", "ohh", "phh", "lt", "mt", "ht", "cy", "rd"])
"""Abbreviations of drums that may mean something else: "ch 2" is a channel."""
_OVERHEADS: Final = "oh"
"""Beside any drum but a hat these are overhead microphones: alone it means an open hat only where no drum is named."""
_MOST_VAGUE: Final = 2
_CACHED_NAMES: Final = 256
"""Files of one folder share its name, and each name is looked up more than once."""

CLASSES: Final = (
    DrumClass("kick", ("kick", "kik", "bd", "bassdrum", "bass drum"), (36, 35)),
    DrumClass("snare", ("snare", "snr", "sd", "snaredrum"), (38, 40)),
    DrumClass("rim", ("rim", "rimshot", "sidestick", "side stick", "crossstick", "cross stick"), (37,)),
    DrumClass("clap", ("clap", "handclap", "cp"), (39,)),
    DrumClass("closed_hat", (*_HATS, "closedhat", "closed hihat", "hihat closed", "hat closed", "chh"), (42,)),
    DrumClass("open_hat", ("openhat", "hihat open", "hat open", *_OPEN_HATS, "ohh", "oh", *_OH_HATS), (46,)),
    DrumClass("pedal_hat", ("pedalhat", "hihat pedal", "hat pedal", "hh pedal", *_PEDAL_HATS, "phh"), (44,)),
    DrumClass("tom", ("tom", "floortom", "floor tom", "racktom", "lt", "mt", "ht"), (41, 43, 45, 47, 48, 50)),
    DrumClass("crash", ("crash", "china", "splash", "cymbal", "cy"), (49, 57, 52, 55)),
    DrumClass("ride", ("ride", "ride bell", "bell", "rd"), (51, 59, 53)),
    DrumClass("perc", _PERCUSSION, (56, 54, 58, *range(60, 83))),
)  # fmt: skip
"""In the order of the model's labels."""

CLASS_NAMES: Final = tuple(c.name for c in CLASSES)

_ALIASES: Final = sorted(
    ((tuple(alias.split()), c.name) for c in CLASSES for alias in {*c.aliases, c.name.replace("_", " ")}),
    key=lambda pair: (-len(pair[0]), -len(pair[0][0])),
)


_WORDS: Final = frozenset(word for alias, _ in _ALIASES for word in alias)


def label_of(name: str) -> int:
    """Return the model's label of a class name; `KeyError` for any other name."""
    try:
        return CLASS_NAMES.index(name)
    except ValueError:
        raise KeyError(name) from None


def class_from_name(text: str) -> str | None:
    """Return the class that the words of a file or folder name mean, or None.

    A drum's full name wins over an abbreviation ("snare oh" is a snare under overhead microphones), then
    the longest alias ("open hat" before "hat"), and of equal ones the first in the text.
    Digits and punctuation separate words; so does a change from lower to upper case.
    """
    match = _best_match(text)
    return match[-1] if match else None


def may_be_overheads(text: str) -> bool:
    """Return whether a name says "OH" but no drum, so that another name beside it decides."""
    match = _best_match(text)
    return match is not None and match[0] == _MOST_VAGUE


@lru_cache(maxsize=_CACHED_NAMES)
def _best_match(text: str) -> tuple[int, int, int, str] | None:
    """Return how vague the best alias in a text is, how short, where it stands, and its class."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?i)\bhi[ _-]?hats?", "hihat", spaced.replace("_", " ")))
    lowered = [_singular(word.lower()) for word in words]
    matches = [
        (_vagueness(alias), -len(alias), at, name)
        for alias, name in _ALIASES
        for at in range(len(lowered) - len(alias) + 1)
        if tuple(lowered[at : at + len(alias)]) == alias
    ]
    return min(matches, default=None)


def _vagueness(alias: tuple[str, ...]) -> int:
    """Return 0 for an alias with a full word, 1 for abbreviations, 2 for what mostly means overheads."""
    if alias == (_OVERHEADS,):
        return _MOST_VAGUE
    return int(all(word in _SHORT or word == _OVERHEADS for word in alias))


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and word[:-1] in _WORDS else word

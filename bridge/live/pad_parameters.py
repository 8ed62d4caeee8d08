"""The settings of a pad that can be changed while it plays, as one table."""

from dataclasses import dataclass
from typing import Any, Final

from ghostnote.bridge.kinds import find_kind
from ghostnote.bridge.kit.fields import FieldError, check_class, check_kind, check_name, check_number
from ghostnote.bridge.kit.kit import Pad

Value = int | float | str | bool


@dataclass(frozen=True)
class Field:
    """A setting of a pad that can be changed while it plays."""

    name: str
    """What it is called here and in OSC."""
    key: str
    """What it is called in the kit; '' for what is not part of it."""
    about: str


FIELDS: Final = {
    field.name: field
    for field in (
        Field("amount", "amount", "how much strokes differ, 0 to 2"),
        Field("width", "width", "how much the sides differ, 0 to 1"),
        Field("gain", "gain_db", "level in dB, -60 to 24"),
        Field("pan", "pan", "place, -1 left to 1 right"),
        Field("steps", "steps", "steps of the diffusion, 0 to 64"),
        Field("tune", "tune", "pitch in semitones, -24 to 24"),
        Field("decay", "decay", "decay time beside the strokes' own, 0.05 to 4"),
        Field("attack", "attack", "level of the first 15 ms in dB, -24 to 24"),
        Field("tone", "tone", "tilt around 1 kHz in dB, -24 to 24"),
        Field("start", "start", "what is left out after the onset, 0 to 1000 ms"),
        Field("reverse", "reverse", "whether strokes are played backwards"),
        Field("bright", "bright", "highs of the drum, above 4 kHz, -2 to 2"),
        Field("boomy", "boomy", "lows of the drum, below 120 Hz, -2 to 2"),
        Field("warm", "warm", "150 to 500 Hz of the drum, -2 to 2"),
        Field("noisy", "noisy", "noise of the drum beside what rings, -2 to 2"),
        Field("punch", "punch", "the drum's attack beside what follows, -2 to 2"),
        Field("hard", "hard", "the highs of the drum's attack, -2 to 2"),
        Field("longer", "longer", "how slowly the drum's tail decays, -2 to 2"),
        Field("tighter", "tighter", "how fast the drum's body decays, -2 to 2"),
        Field("rough", "rough", "how much the drum's level flutters, -2 to 2"),
        Field("mute", "", "whether it is silent"),
        Field("solo", "", "whether only it and other solo pads are audible"),
        Field("seed", "seed", "which strokes are made, and which drum unless the kit says"),
        Field("class", "drum_class", "the kind of drum"),
        Field("kind", "kind", "what the model generates, finer than the class; '' for any of it"),
        Field("choke", "choke", "pads of one word silence one another; '' for none"),
        Field("out", "out", "the output that it shares with pads of the same word; '' for its class's"),
        Field("lock", "", "whether its drum stays: what would change it is refused"),
    )
}


_WORDS: Final = ("kind", "choke", "out")
"""Fields that may be left empty."""


def slug(name: str) -> str:
    """Return a pad's name as it stands in an OSC address."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name.casefold()).strip("_") or "pad"


def checked(name: str, value: object) -> Value:
    """Return a value as its field holds it; int, float and bool are alike. `FieldError` for any other."""
    if name == "class":
        return check_class(value)
    if name in _WORDS:
        return _word(name, value)
    if not isinstance(value, int | float):
        raise FieldError(f"{name} = {value!r}, but it must be a number")
    key = FIELDS[name].key
    if not key or key == "reverse":
        return bool(value)
    number: Value = check_number(key, _fitted(key, value))
    return number


def value_of(pad: Pad, name: str) -> Value:
    """Return a pad's value of a field of the kit, '' for none."""
    value: Value | None = getattr(pad, FIELDS[name].key)
    return "" if value is None else value


def changes(pad: Pad, name: str, value: object) -> dict[str, Any]:
    """Return what of a pad changes with a field of the kit; `FieldError`."""
    held = checked(name, value)
    if name == "class":
        return {"drum_class": held} | ({} if held == pad.drum_class else {"kind": None})
    if name == "kind" and held:
        return {"kind": held, "drum_class": find_kind(str(held)).drum_class}
    return {FIELDS[name].key: None if name in _WORDS and not held else held}


def _word(name: str, value: object) -> str:
    if value == "":
        return ""
    return check_kind(value).name if name == "kind" else check_name(name, value)


def _fitted(key: str, value: float) -> float:
    """Return a number as the kind that the key has, where it is one."""
    whole = isinstance(value, bool) or (value == int(value) if abs(value) < 2**53 else False)
    return int(value) if whole and key in ("steps", "seed") else float(value)

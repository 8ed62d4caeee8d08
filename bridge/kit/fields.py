"""The keys of a kit file: a table of their ranges, and a check for each kind of value."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.dsp.sliders import MOST, SLIDERS
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.printable import UNPRINTABLE, nearest, shown
from ghostnote.bridge.kinds import Kind, find_class, find_kind

RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "amount": (0.0, 2.0),
    "width": (0.0, 1.0),
    "gain_db": (-60.0, 24.0),
    "pan": (-1.0, 1.0),
    "steps": (0, 64),
    "seed": (0, 2**32 - 1),
    "drum": (0, 2**32 - 1),
    "velocity": (1, 127),
    "tune": (-24.0, 24.0),
    "decay": (0.05, 4.0),
    "attack": (-24.0, 24.0),
    "tone": (-24.0, 24.0),
    "start": (0.0, 1000.0),
    **dict.fromkeys(SLIDERS, (-MOST, MOST)),
}
"""Lowest and highest value of each number in a kit; whole numbers where the bounds are whole."""

KIT_KEYS: Final = ("name", "seed", "effects", "pad")
PAD_KEYS: Final = ("name", "notes", "class", "kind", "hit", "hits", "choke", "out", "reverse", "effects", *RANGES)

_NOTES: Final = (0, 127)
MOST_TEXT: Final = 80
_OFF_THE_LINE: Final = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, line ends and what stands for bytes that are no text: no text of a kit has them."""


class FieldError(ValueError):
    """A value breaks the rule of its key; the message says the rule and the remedy."""


class MissingFileError(FieldError):
    """A file that a kit names is not there."""

    def __init__(self, message: str, path: Path) -> None:
        """Say the rule and the remedy, and remember where the file should lie."""
        super().__init__(message)
        self.path = path


def check_keys(table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raise `FieldError` for an unknown key, with the most similar known one."""
    for key in table:
        if key not in known:
            raise FieldError(f"the key {shown(key)} is unknown; {nearest(key, known)}")


def check_number(key: str, value: object, ranges: Mapping[str, tuple[float, float]] = RANGES) -> Any:
    """Return a number within its range as int or float; `FieldError` for any other value."""
    low, high = ranges[key]
    whole = isinstance(low, int)
    kind = f"a{' whole' if whole else ''} number from {low:g} to {high:.10g}"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise FieldError(f"{key} = {shown(value)}, but it must be {kind}")
    if not low <= value <= high:
        raise FieldError(f"{key} = {shown(value)}, but it must be {kind}")
    return value if whole else float(value)


def check_switch(key: str, value: object) -> bool:
    """Return true or false; `FieldError` for anything else."""
    if not isinstance(value, bool):
        raise FieldError(f"{key} = {shown(value)}, but it must be true or false")
    return value


def check_text(key: str, value: object) -> str:
    """Return a line of text, stripped; `FieldError` for any other value, or a blank one."""
    if not isinstance(value, str):
        raise FieldError(f"{key} = {shown(value)}, but it must be text in quotes")
    if not value.strip() or _OFF_THE_LINE.search(value):
        raise FieldError(f"{key} = {shown(value)}, but it must be visible text on one line")
    return value.strip()


def check_name(key: str, value: object) -> str:
    """Return a text short enough for file names and tables."""
    text = check_text(key, value)
    if len(text) > MOST_TEXT:
        raise FieldError(f"{key} has {len(text)} letters, but at most {MOST_TEXT} are allowed; shorten it")
    return text


def usable_text(text: str) -> str:
    """Return a text as the name of a kit or a pad: on one line and not too long; '' where nothing visible is left."""
    return UNPRINTABLE.sub("_", text).strip()[:MOST_TEXT].strip()


def is_usable_text(text: str) -> bool:
    """Return whether `check_text` returns a text as it is."""
    return bool(text) and text == text.strip() and not _OFF_THE_LINE.search(text)


def check_notes(value: object) -> tuple[int, ...]:
    """Return the MIDI notes of a pad: one or more, each 0 to 127 and listed once."""
    low, high = _NOTES
    if not isinstance(value, list) or not value:
        raise FieldError(f"notes = {shown(value)}, but it must be a list of MIDI notes such as [38, 40]")
    for note in value:
        if isinstance(note, bool) or not isinstance(note, int) or not low <= note <= high:
            raise FieldError(f"notes holds {shown(note)}, but MIDI notes are whole numbers from {low} to {high}")
        if value.count(note) > 1:
            raise FieldError(f"notes holds {note} twice; list it once")
    return tuple(value)


def check_class(value: object) -> str:
    """Return the name of a drum class."""
    try:
        return find_class(value if isinstance(value, str) else shown(value))
    except InputError as error:
        raise FieldError(f"class = {error}") from error


def check_kind(value: object) -> Kind:
    """Return the kind of drum of that name."""
    try:
        return find_kind(value if isinstance(value, str) else shown(value))
    except InputError as error:
        raise FieldError(f"kind = {error}") from error


def check_hit(value: object, folder: Path, *, key: str = "hit", may_be_folder: bool = False) -> Path:
    """Return the path of a hit's sound file, which must exist in the kit's folder or below."""
    text = check_text(key, value)
    relative = Path(os.path.normpath(text))
    own = folder.absolute()
    if relative.is_absolute() or relative.parts[:1] == ("..",):
        raise FieldError(f"{key} = {shown(text)} lies outside the kit's folder {own}; copy it in, beside the kit")
    path = folder / relative
    try:
        if path.is_dir() and not may_be_folder:
            raise FieldError(f"{key} = {shown(text)} is a folder; name a sound file in it, or use hits for all of them")
        is_there = path.is_file() or path.is_dir()
        if not is_there and path.exists():
            raise FieldError(f"{key} = {shown(text)} is a device or a pipe; name a file")
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            raise FieldError(f"{key} = {shown(text)} is a link out of the kit's folder {own}; copy the sound file in")
        if not is_there:
            what = "file or folder" if may_be_folder and not relative.suffix else "sound file"
            advice = f"copy the {what} into {path.parent.absolute()}"
            raise MissingFileError(f"{key} = {shown(text)} does not exist; {advice}", path)
    except OSError as error:
        raise FieldError(f"{key} = {shown(text)} cannot be looked up ({error.strerror})") from error
    return path


def path_inside(path: Path, folder: Path) -> str | None:
    """Return a path as a kit file in `folder` says it, with forward slashes; None if it lies outside."""
    inside = Path(os.path.relpath(path, folder))
    return None if inside.is_absolute() or inside.parts[:1] == ("..",) else inside.as_posix()


def quoted(text: str) -> str:
    """Return a TOML string."""
    # JSON's strings are TOML's, but for characters that JSON leaves alone.
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))

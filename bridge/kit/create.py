"""Writes new kit files: from the default kit, or from a folder of hits by their names."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.drums import CLASSES, DrumClass, class_from_name
from ghostnote.bridge.errors import AudioFileError, KitError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.fields import FieldError, check_name
from ghostnote.bridge.kit.kit import DEFAULT_KIT, default_kit, parse_kit

HIT_SUFFIXES: Final = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
"""Endings of the files that are taken for hits."""

_TOM_HEIGHTS: Final = {"floor": 0, "low": 1, "lo": 1, "lt": 1, "mid": 2, "mt": 2, "high": 3, "hi": 3, "ht": 3}
_MIDDLE_HEIGHT: Final = 2


@dataclass(frozen=True)
class NewKit:
    """A kit file to be, and what did not find a place in it."""

    text: str
    """The TOML text, with comments."""
    pads: int
    """How many pads it has."""
    left_out: tuple[str, ...]
    """For each file without a pad its name and the reason."""


def kit_from_default(name: str) -> NewKit:
    """Return a copy of the default kit under another name; every drum in it is invented."""
    keys, pads = _default_parts()
    return NewKit(f"{keys}name = {_quoted(name)}\n{pads}", len(default_kit().pads), ())


def kit_from_hits(name: str, hits: Path, folder: Path) -> NewKit:
    """Return a kit with one pad for each sound file in `hits`, for a kit file in `folder`.

    A file's class is what its name speaks of, or else its folder's; the General MIDI notes of a class
    are shared out among its files in the order of their names, toms from low to high. `KitError` if
    `hits` does not lie in `folder` or below, or holds no file that can be used.
    """
    if not hits.is_dir():
        raise KitError(f"{hits}: there is no such folder of hits")
    inside = os.path.relpath(hits, folder)
    if inside == ".." or inside.startswith(f"..{os.sep}") or Path(inside).is_absolute():
        raise KitError(f"{hits}: lies outside {folder}; write the kit file beside or above its hits")
    left_out: list[str] = []
    files = [path for path in _sound_files(hits) if _usable(path, hits, left_out)]
    pads = [
        _pad_text(path.stem, notes, kind, Path(os.path.relpath(path, folder)).as_posix())
        for kind in CLASSES
        for path, notes in _shared_out(kind, [f for f in files if _class_of(f, hits) == kind.name], left_out)
    ]
    if not pads:
        raise KitError(f"{hits}: holds no hit for a kit" + "".join(f"; {reason}" for reason in left_out[:3]))
    text = f"{_default_parts()[0]}name = {_quoted(name)}\nseed = 1\n{''.join(_renamed_apart(pads))}"
    parse_kit(text, folder, name)
    return NewKit(text, len(pads), tuple(left_out))


@dataclass(frozen=True)
class _PadText:
    name: str
    lines: str


def _sound_files(folder: Path) -> list[Path]:
    """Return the sound files in a folder and below by name, with tom2 before tom10."""
    found = (p for p in folder.rglob("*") if p.suffix.lower() in HIT_SUFFIXES and not p.name.startswith("."))
    return sorted(found, key=lambda p: [(len(n), n) if n.isdigit() else (0, n) for n in _pieces(p)])


def _pieces(path: Path) -> list[str]:
    """Return a path's digits and the text between them by turns, in lower case."""
    return re.split(r"(\d+)", str(path).lower())


def _class_of(path: Path, folder: Path) -> str | None:
    """Return the class that a file's name speaks of, or else the nearest folder's inside `folder`."""
    parts = [path.stem, *reversed(path.relative_to(folder).parent.parts)]
    return next((found for part in parts if (found := class_from_name(part))), None)


def _usable(path: Path, folder: Path, left_out: list[str]) -> bool:
    """Return whether a file can be a pad's hit; if not, add the reason to `left_out`."""
    try:
        check_name("its name", path.stem)
        read_audio(path)
    except FieldError as error:
        left_out.append(f"{path}: {error}")
    except AudioFileError as error:
        left_out.append(str(error))
    else:
        if _class_of(path, folder):
            return True
        left_out.append(f"{path}: its name speaks of no drum; rename it, or add a pad for it by hand")
    return False


def _shared_out(
    kind: DrumClass, files: Sequence[Path], left_out: list[str]
) -> Iterator[tuple[Path, Sequence[int]]]:
    """Yield each file of a class with its notes; where notes run out, add that to `left_out`."""
    if kind.name == "tom":
        # Numbered toms are counted from the highest down.
        files = [*files[::-1]]
        files.sort(key=_height)
    places = len(kind.notes)
    if files[places:]:
        count = len(files) - places
        left_out.append(f"{files[places]} and all after it ({count} in all): no {kind.name} note is free")
    files = files[:places]
    # The notes of percussion are different instruments; of any other class they are the same one.
    share = 1 if kind.name == "perc" else len(kind.notes) / max(len(files), 1)
    for at, path in enumerate(files):
        yield path, kind.notes[round(at * share) : round((at + 1) * share)]


def _height(path: Path) -> int:
    """Return how high a tom its name speaks of, 0 lowest."""
    words = re.findall(r"[a-z]+", path.stem.lower())
    return next((height for word, height in _TOM_HEIGHTS.items() if word in words), _MIDDLE_HEIGHT)


def _pad_text(name: str, notes: Sequence[int], kind: DrumClass, hit: str) -> _PadText:
    """Return a pad's table but for its name; hats choke one another as in the default kit."""
    choke = next((pad.choke for pad in default_kit().pads if pad.drum_class == kind.name), None)
    lines = [f"notes = {list(notes)}", f'class = "{kind.name}"', f"hit = {_quoted(hit)}"]
    return _PadText(name, "\n".join(lines + ([f"choke = {_quoted(choke)}"] if choke else [])) + "\n")


def _renamed_apart(pads: Iterable[_PadText]) -> Iterator[str]:
    """Yield the pads' tables, names that come again numbered."""
    taken: set[str] = set()
    for pad in pads:
        name, count = pad.name, 2
        while name.casefold() in taken:
            name, count = f"{pad.name} {count}", count + 1
        taken.add(name.casefold())
        yield f"\n[[pad]]\nname = {_quoted(name)}\n{pad.lines}"


def _default_parts() -> tuple[str, str]:
    """Return the default kit file's explanation of the keys, and what follows its name."""
    text = DEFAULT_KIT.read_text("utf-8")
    keys, named = text[text.index("# Every drum") :].split("\nname = ", 1)
    return f"# A kit for ghostnote.\n#\n{keys}\n", named.split("\n", 1)[1]


def _quoted(text: str) -> str:
    """Return a TOML string; control characters never come here, the rest JSON writes alike."""
    return json.dumps(text, ensure_ascii=False)

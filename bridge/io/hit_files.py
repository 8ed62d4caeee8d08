"""Which files of a folder are taken for hits, in which order, and names that do not meet."""

import re
from pathlib import Path
from typing import Final

HIT_SUFFIXES: Final = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
"""Endings of the files that are taken for hits."""


def hit_files(folder: Path) -> list[Path]:
    """Return the files in a folder and below that end like sound files, tom2 before tom10, hidden ones left out."""
    found = (
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in HIT_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    return sorted(found, key=_natural_key)


def _natural_key(path: Path) -> list[tuple[int, str]]:
    pieces = re.split(r"(\d+)", str(path).casefold())
    return [(int(piece) if piece.isdecimal() else -1, piece) for piece in pieces]


def distinct_name(name: str, taken: set[str], form: str = "{} {}") -> str:
    """Return a name that is not in `taken`, capitals aside, numbered from 2 if need be, and add it there."""
    distinct, number = name, 2
    while distinct.casefold() in taken:
        distinct, number = form.format(name, number), number + 1
    taken.add(distinct.casefold())
    return distinct

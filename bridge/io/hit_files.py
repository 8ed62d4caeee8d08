"""Which files of a folder are taken for hits, in which order, and names that do not meet."""

import hashlib
import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

HIT_SUFFIXES: Final = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
"""Endings of the files that are taken for hits."""


def hit_files(folder: Path, *, links: bool = False, suffixes: Sequence[str] = HIT_SUFFIXES) -> list[Path]:
    """Return the files in a folder and below that end like sound files, tom2 before tom10, hidden ones left out.

    With `links`, linked folders are entered, too; each folder is entered once, so that a loop ends. `suffixes` are
    other endings to look for.
    """
    found = (path for path in _visible_files(folder, links) if path.suffix.lower() in suffixes)
    return sorted(found, key=_natural_key)


def _visible_files(folder: Path, links: bool) -> Iterator[Path]:
    """Yield what is in a folder and below, folders too."""
    entered, pending = set(), deque([folder])
    while pending:
        for top, folders, files in os.walk(pending.popleft()):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            real = os.path.realpath(top)
            if real in entered:
                folders.clear()
                continue
            entered.add(real)
            if links:
                pending += [path for name in folders if (path := Path(top, name)).is_symlink()]
            yield from (Path(top, name) for name in (*folders, *files) if not name.startswith("."))


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


def short_name(name: str, limit: int) -> str:
    """Return a name of at most `limit` bytes of UTF-8: of a longer one the beginning and a hash of the whole."""
    data = name.encode()
    if len(data) <= limit:
        return name
    digest = hashlib.sha256(data).hexdigest()[:8]
    return f"{data[: limit - len(digest) - 1].decode(errors='ignore')}~{digest}"

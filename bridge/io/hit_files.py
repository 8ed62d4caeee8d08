"""Which files of a folder are taken for hits, in which order, and names that do not meet."""

import hashlib
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from ghostnote.bridge.io.printable import counted

HIT_SUFFIXES: Final = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
"""Endings of the files that are taken for hits."""
UNREAD_SUFFIXES: Final = (
    *(".w64", ".rf64", ".bwf", ".caf", ".aifc", ".au", ".snd", ".voc", ".sd2", ".wv", ".ape", ".mp2", ".wma", ".ac3"),
    *(".m4a", ".m4b", ".aac", ".opus", ".oga", ".spx", ".mka", ".amr", ".dsf", ".dff", ".rex", ".rx2"),
)
"""Endings of other sound files, which are not read."""
STEM_LIST: Final = ".ghostnote-stems"
"""The file in a folder of a song's stems that lists them, one name a line."""
_MOST_LISTED: Final = 100_000
_MOST_NAMED: Final = 8


def hit_files(
    folder: Path, *, links: bool = False, suffixes: Sequence[str] = HIT_SUFFIXES, stems: bool = False
) -> list[Path]:
    """Return the files in a folder and below that end like sound files, tom2 before tom10, hidden ones left out.

    With `links`, linked folders are entered, too; each folder is entered once, so that a loop ends. `suffixes` are
    other endings to look for. The stems of a song that was rendered are no hits: only with `stems` they are found.
    """
    found = (path for path in _visible_files(folder, links) if path.suffix.lower() in suffixes)
    listed = lru_cache(maxsize=None)(listed_stems)
    kept = found if stems else (path for path in found if path.name not in listed(path.parent))
    return sorted(kept, key=_natural_key)


def hits_at(path: Path) -> list[Path]:
    """Return the `hit_files` of a folder, or of a file itself."""
    return hit_files(path) if path.is_dir() else [path]


def unread_sounds(paths: Iterable[Path], *, links: bool = False) -> tuple[str, ...]:
    """Return a line on the sound files in folders among `paths` whose formats are not read; none without such files."""
    folders = [path for path in paths if path.is_dir()]
    found = [file for folder in folders for file in hit_files(folder, links=links, suffixes=UNREAD_SUFFIXES)]
    names = [file.name for file in dict.fromkeys(found) if not file.is_dir()]
    if not names:
        return ()
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    files, listed = counted(len(names), "file"), ", ".join(names[:_MOST_NAMED])
    is_one = len(names) == 1
    left_out = f"{files} of {'another format was' if is_one else 'other formats were'} left out: {listed}{more}"
    return (f"{left_out}; convert {'it' if is_one else 'them'} to WAV or FLAC",)


def listed_stems(folder: Path) -> frozenset[str]:
    """Return the names of the stems that a render wrote into a folder; none where its list cannot be read."""
    try:
        text = (folder / STEM_LIST).read_bytes()[:_MOST_LISTED].decode("utf-8", "replace")
    except OSError:
        return frozenset()
    return frozenset(name for name in text.split("\n") if name and Path(name).name == name)


def without_stems(folder: Path) -> str:
    """Return what to say where a folder has no hits but stems, to be put behind the rest; nothing for others."""
    return "; the stems of a song in it are no hits" if listed_stems(folder) else ""


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


def distinct_name(name: str, taken: set[str], form: str = "{} {}", most: int | None = None) -> str:
    """Return a name that is not in `taken`, capitals aside, numbered from 2 if need be, and add it there.

    A numbered name has at most so many letters, where that is given: the end of what comes before the number is cut.
    """
    distinct, number = name, 2
    while distinct.casefold() in taken:
        kept = name if most is None else name[: most - len(form.format("", number))]
        distinct, number = form.format(kept, number), number + 1
    taken.add(distinct.casefold())
    return distinct


def short_name(name: str, limit: int) -> str:
    """Return a name of at most `limit` bytes of UTF-8: of a longer one the beginning and a hash of the whole."""
    data = name.encode()
    if len(data) <= limit:
        return name
    digest = hashlib.sha256(data).hexdigest()[:8]
    return f"{data[: limit - len(digest) - 1].decode(errors='ignore')}~{digest}"

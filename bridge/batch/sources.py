"""The sound files that a batch works on, and the place of each in the output."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES, distinct_name, hit_files, short_name
from ghostnote.bridge.io.printable import UNPRINTABLE

_RESERVED: Final = re.compile(r'[<>:"\\|?*]|[. ]+$|^\.|\.(?=(?:wav|flac|aiff|csv)$)', re.IGNORECASE)
"""What folder names cannot hold on some systems, and what would make them the names of strokes or of a manifest."""
_NAME_BYTES: Final = 200
"""Of a folder name, so that its strokes' names stay below 255."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One sound file to work on."""

    path: Path
    place: str
    """Its folder in the output, with forward slashes; it also decides the file's seed."""
    shortened: bool = False
    """Whether its name was too long for the names of its strokes."""


def find_sources(paths: Sequence[Path], output: Path) -> list[SourceFile]:
    """Return the sources in files and folders, recursively, in the order of their paths.

    Folder structure is kept from each given folder on; linked folders are followed. Hidden files, and what lies
    in `output`, are left out. `InputError` for a path that is not there, or when nothing is found.
    """
    taken: set[str] = set()
    sources = [_source(path, path.relative_to(root), taken) for path, root in _files(paths, Path(output).resolve())]
    if not sources:
        if any(path.resolve().is_relative_to(output.resolve()) for path in paths):
            raise InputError(f"{output}: holds the sources, and what is in the output is not humanized; choose another")
        names = ", ".join(map(str, paths))
        raise InputError(f"{names}: no sound files found; ghostnote reads {', '.join(HIT_SUFFIXES)}")
    return sources


def _files(paths: Iterable[Path], output: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each sound file once, with the folder that its place is counted from."""
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder; check the path")
        inside = [file for file in hit_files(path, links=True) if file.is_file()] if path.is_dir() else [path]
        for file in inside:
            real = file.resolve()
            if real not in seen and not real.is_relative_to(output):
                seen.add(real)
                yield file, path if path.is_dir() else file.parent


def _source(path: Path, relative: Path, taken: set[str]) -> SourceFile:
    """Return a source with its output folder; a second `kick`, of another ending perhaps, becomes `kick 2`."""
    whole = [_safe(part) for part in relative.with_suffix("").parts]
    parts = [short_name(part, _NAME_BYTES) for part in whole]
    return SourceFile(path, distinct_name(str(PurePosixPath(*parts)), taken), shortened=parts != whole)


def _safe(part: str) -> str:
    try:
        part.encode()
    except UnicodeEncodeError:
        # Old archives have names in Latin-1.
        part = os.fsencode(part).decode("latin-1")
    return _RESERVED.sub("_", UNPRINTABLE.sub("_", unicodedata.normalize("NFC", part))) or "_"

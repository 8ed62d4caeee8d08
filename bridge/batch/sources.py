"""The sound files that a batch works on, and the place of each in the output."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES, distinct_name, hit_files

_RESERVED: Final = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]+$')
"""What folder names cannot hold on some systems."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One sound file to work on."""

    path: Path
    place: str
    """Its folder in the output, with forward slashes; it also decides the file's seed."""


def find_sources(paths: Sequence[Path], output: Path) -> list[SourceFile]:
    """Return the sources in files and folders, recursively, in the order of their paths.

    Folder structure is kept from each given folder on. Hidden files, and what lies in `output`, are left
    out. `InputError` for a path that is not there, or when nothing is found.
    """
    taken: set[str] = set()
    sources = [
        SourceFile(path, _free_place(path.relative_to(root), taken))
        for path, root in _files(paths, Path(output).resolve())
    ]
    if not sources:
        names = ", ".join(map(str, paths))
        raise InputError(f"{names}: no sound files found; ghostnote reads {', '.join(HIT_SUFFIXES)}")
    return sources


def _files(paths: Iterable[Path], output: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each sound file once, with the folder that its place is counted from."""
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder; check the path")
        inside = [file for file in hit_files(path) if file.is_file()] if path.is_dir() else [path]
        for file in inside:
            real = file.resolve()
            if real not in seen and not real.is_relative_to(output):
                seen.add(real)
                yield file, path if path.is_dir() else file.parent


def _free_place(relative: Path, taken: set[str]) -> str:
    """Return the output folder of a file; a second `kick`, of another ending perhaps, becomes `kick 2`."""
    parts = [_safe(part) for part in relative.with_suffix("").parts]
    return distinct_name(str(PurePosixPath(*parts)), taken)


def _safe(part: str) -> str:
    return _RESERVED.sub("_", unicodedata.normalize("NFC", part)) or "_"

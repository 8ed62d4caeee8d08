"""The drums that a batch works on, a sound file or several each, and the place of each in the output."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ghostnote.bridge.classify.classifier import Guess
from ghostnote.bridge.classify.finder import FoundDrum, find_drums
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.hit_files import (
    HIT_SUFFIXES,
    distinct_name,
    hit_files,
    short_name,
    unread_sounds,
    without_stems,
)
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.printable import UNPRINTABLE
from ghostnote.bridge.kit.hits import PadHit

_RESERVED: Final = re.compile(r'[<>:"\\|?*]|[. ]+$|^\.|\.(?=(?:wav|flac|aiff|csv)$)', re.IGNORECASE)
"""What folder names cannot hold on some systems, and what would make them the names of strokes or of a manifest."""
_NAME_BYTES: Final = 200
"""Of a folder name, so that its strokes' names stay below 255."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One drum to work on."""

    path: Path
    """Its sound file, of several the loudest."""
    place: str
    """Its folder in the output, with forward slashes; it also decides the file's seed."""
    shortened: bool = False
    """Whether its name was too long for the names of its strokes."""
    hits: tuple[PadHit, ...] = ()
    """Its recorded strokes, where there are several."""
    guess: Guess | None = None
    """Its class, where a name says one."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Its sound files."""
        return tuple(hit.file for hit in self.hits) or (self.path,)


def find_sources(paths: Sequence[Path], output: Path) -> list[SourceFile]:
    """Return the sources in files and folders, recursively, in the order of their paths: strokes of one drum are one.

    Folder structure is kept from each given folder on; linked folders are followed. Hidden files, and what lies
    in `output`, are left out. `InputError` for a path that is not there, or when nothing is found.
    """
    taken: set[str] = set()
    files = list(_files(paths, real_path(Path(output))))
    roots = dict(files)
    sources = [_source(drum, roots[drum.loudest], taken) for drum in find_drums(files).drums]
    if not sources:
        if any(real_path(path).is_relative_to(real_path(output)) for path in paths):
            raise InputError(f"{output}: holds the sources, and what is in the output is not humanized; choose another")
        names = ", ".join(map(str, paths))
        stems = "".join(map(without_stems, paths))
        others = "".join(f"; {line}" for line in unread_sounds(paths, links=True))
        raise InputError(f"{names}: no sound files found{stems}; ghostnote reads {', '.join(HIT_SUFFIXES)}{others}")
    return sources


def _files(paths: Iterable[Path], output: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each sound file once, with the folder that its place is counted from."""
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder; check the path")
        inside = [file for file in hit_files(path, links=True) if not file.is_dir()] if path.is_dir() else [path]
        for file in inside:
            real = real_path(file)
            if real not in seen and not real.is_relative_to(output):
                seen.add(real)
                yield file, path if path.is_dir() else file.parent


def _source(drum: FoundDrum, root: Path, taken: set[str]) -> SourceFile:
    """Return a source with its output folder; a second `kick`, of another ending perhaps, becomes `kick 2`."""
    whole = [_safe(part) for part in _relative(drum, root).parts]
    parts = [short_name(part, _NAME_BYTES) for part in whole]
    place = distinct_name(str(PurePosixPath(*parts)), taken)
    hits = tuple(PadHit(stroke.path, *stroke.velocities) for stroke in drum.strokes) if len(drum.strokes) > 1 else ()
    return SourceFile(drum.loudest, place, parts != whole, hits, drum.guess)


def _relative(drum: FoundDrum, root: Path) -> Path:
    """Return a drum's place in its folder: its file's, or in the folder that its strokes share."""
    if len(drum.strokes) == 1:
        return drum.loudest.relative_to(root).with_suffix("")
    folder = Path(os.path.commonpath([stroke.path.parent for stroke in drum.strokes])).relative_to(root)
    return folder if folder.name == drum.name else folder / drum.name


def _safe(part: str) -> str:
    try:
        part.encode()
    except UnicodeEncodeError:
        # Old archives have names in Latin-1.
        part = os.fsencode(part).decode("latin-1")
    return _RESERVED.sub("_", UNPRINTABLE.sub("_", unicodedata.normalize("NFC", part))) or "_"

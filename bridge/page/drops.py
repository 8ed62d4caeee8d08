"""Files that are dropped onto the page: bounded, checked, and put into the kits' folder alone."""

import re
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.classify.finder import find_drums
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.atomic_file import output_errors
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES, distinct_name, hit_files
from ghostnote.bridge.kit.importers.source import ImportChoices
from ghostnote.bridge.kit.importers.write import import_kit

MOST_BYTES: Final = 64 * 2**20
"""Of one file."""
MOST_ALL_BYTES: Final = 1024 * 2**20
"""Of all files that are dropped together."""
MOST_FILES: Final = 2000
MOST_DROPS: Final = 4
"""Drops that wait at once; then the oldest goes."""
SUFFIXES: Final = (
    *HIT_SUFFIXES, ".sfz", ".dspreset", ".dslibrary", ".xml", ".h2drumkit", ".zip", ".tar", ".gz", ".tgz", ".toml",
    ".txt", ".md",
)  # fmt: skip
"""Endings of the files that are taken: sounds, and what kits of other samplers consist of."""

_PART: Final = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]{1,120}")
_MOST_DEPTH: Final = 8
_PLACE: Final = "page hits"


@dataclass
class _Drop:
    folder: Path
    sizes: dict[str, int] = field(default_factory=dict)


class Drops:
    """What was dropped and waits to be used. A context manager: in the end what waits is removed."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._drops: dict[str, _Drop] = {}
        self._base = Path(tempfile.mkdtemp(prefix="ghostnote-page-"))

    def __enter__(self) -> "Drops":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what waits."""
        shutil.rmtree(self._base, ignore_errors=True)

    def begin(self) -> str:
        """Return the name of a new drop."""
        while len(self._drops) >= MOST_DROPS:
            self.forget(next(iter(self._drops)))
        name = secrets.token_hex(8)
        self._drops[name] = _Drop(self._base / name)
        self._drops[name].folder.mkdir()
        return name

    def forget(self, name: str) -> None:
        """Remove a drop."""
        if drop := self._drops.pop(name, None):
            shutil.rmtree(drop.folder, ignore_errors=True)

    async def add(self, name: str, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Take a file under a path inside the drop; `InputError` for a name, an ending or a size that is not taken."""
        drop = self._drop(name)
        inside = checked_path(path)
        if len(drop.sizes) >= MOST_FILES:
            raise InputError(f"more than {MOST_FILES} files were dropped: drop fewer at once")
        target = drop.folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        drop.sizes[path] = 0
        with target.open("wb") as file:
            async for chunk in chunks:
                drop.sizes[path] += len(chunk)
                if drop.sizes[path] > MOST_BYTES or sum(drop.sizes.values()) > MOST_ALL_BYTES:
                    drop.sizes[path] = 0
                    target.unlink()
                    raise InputError(
                        f"{inside.name}: is too large; at most {MOST_BYTES >> 20} MiB a file and "
                        f"{MOST_ALL_BYTES >> 20} in all are taken"
                    )
                file.write(chunk)

    def to_pad(self, name: str, slug: str, kits: Path) -> tuple[str, str]:
        """Put a drop's sounds into the kits' folder, and return where they are in it, and the class of the drum.

        The class is '' where neither name nor sound says it. `InputError` where no file is a sound.
        """
        folder = self._drop(name).folder
        files = hit_files(folder)
        if not files:
            raise InputError(f"no sound was dropped: a pad takes {', '.join(HIT_SUFFIXES)}")
        for file in files:
            _read(file, folder)
        found = find_drums([(file, folder) for file in files], all_sounds=True)
        guesses = [drum.guess.drum_class for drum in found.drums if drum.guess]
        place = kits / _PLACE / slug
        taken = {path.stem.casefold() for path in place.iterdir()} if place.is_dir() else set()
        with output_errors(place):
            if len(files) == 1:
                target = place / f"{distinct_name(files[0].stem, taken)}{files[0].suffix.lower()}"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(files[0], target)
            else:
                target = place / distinct_name("hits", taken)
                shutil.copytree(folder, target, ignore=_only_sounds)
        self.forget(name)
        return target.relative_to(kits).as_posix(), guesses[0] if guesses else ""

    def folder(self, name: str) -> Path:
        """Return the folder of a drop; `InputError`."""
        return self._drop(name).folder

    def to_kit(self, name: str, kits: Path) -> tuple[str, tuple[str, ...]]:
        """Make a drop a kit in the kits' folder, and return its name there, and what was not taken over.

        `KitError` where it is no kit, `OutputError` where it cannot be written.
        """
        folder = self._drop(name).folder
        top = sorted(folder.iterdir())
        if not top:
            raise InputError("nothing was dropped")
        source = top[0] if len(top) == 1 else folder
        stem = checked_path(source.stem if source != folder else "dropped").name
        taken = {path.stem.casefold() for path in kits.glob("*.toml")} | {
            path.name.removesuffix(" hits").casefold() for path in kits.glob("* hits")
        }
        output = kits / f"{distinct_name(stem, taken)}.toml"
        _, report = import_kit(source, output, ImportChoices())
        self.forget(name)
        return output.name, report

    def _drop(self, name: str) -> _Drop:
        if name not in self._drops:
            raise InputError("this drop is not here any more: drop the files again")
        return self._drops[name]


def checked_path(text: str) -> Path:
    """Return a relative path below which nothing leads out; `InputError`."""
    parts = text.split("/")
    if len(parts) > _MOST_DEPTH or any(part.strip(". ") == "" or not _PART.fullmatch(part) for part in parts):
        raise InputError(f"{text[:200]!r} is not a name that can be used: rename the file")
    if "." in parts[-1] and Path(parts[-1]).suffix.lower() not in SUFFIXES:
        raise InputError(f"{parts[-1]}: files of this kind are not taken; sounds end in {', '.join(HIT_SUFFIXES)}")
    return Path(*parts)


def _read(file: Path, folder: Path) -> None:
    """Raise `InputError` with the file's own name for what is no sound."""
    try:
        read_audio(file)
    except InputError as error:
        raise InputError(str(error).replace(f"{folder}/", "")) from error


def _only_sounds(folder: str, names: list[str]) -> set[str]:
    paths: dict[str, Any] = {name: Path(folder) / name for name in names}
    return {name for name, path in paths.items() if path.is_file() and path.suffix.lower() not in HIT_SUFFIXES}

"""Writes an imported kit as a kit file beside its hits, and opens kits of any kind."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import AudioFileError, InputError, KitError
from ghostnote.bridge.io.atomic_file import output_errors, prepare_folder, write_bytes
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.cache_folder import cache_folder
from ghostnote.bridge.io.hit_files import distinct_name
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.partial_files import partial_folder, remove_stale
from ghostnote.bridge.io.printable import UNPRINTABLE
from ghostnote.bridge.kit.fields import FieldError, is_usable_text, path_inside
from ghostnote.bridge.kit.hits import check_offset
from ghostnote.bridge.kit.importers.replaced import HEAD, check_replaced, in_place
from ghostnote.bridge.kit.importers.source import (
    UNPACKED,
    ImportChoices,
    Imported,
    chosen_program,
    is_source,
    needs_room,
    read_source,
    without_folder,
)
from ghostnote.bridge.kit.kit import BUILT_IN, Kit, Pad, load_kit, parse_kit
from ghostnote.bridge.kit.save import check_kit_path, kit_text

_MOST_KEPT: Final = 8
"""Kits that were unpacked or mixed to be played from where they lay."""
_NAME_DIGITS: Final = 16


def open_kit(path: Path, choices: ImportChoices | None = None) -> tuple[Kit, tuple[str, ...]]:
    """Return a kit file's kit, or that of another sampler's kit where it lies, and what was not taken over.

    What must be unpacked or mixed is kept in the user's cache folder. `KitError`.
    """
    choices = choices or ImportChoices()
    if str(path) in BUILT_IN or not is_source(path):
        return load_kit(path), ()
    if not needs_room(path, choices):
        imported = read_source(path, path.parent, choices)
        return imported.kit, imported.report
    base = cache_folder()
    if base is None:
        raise KitError(f"{path}: must be unpacked first, and there is no cache folder: use  ghostnote kit import")
    kept = base / "kits" / _digest(path, choices)
    report: tuple[str, ...] = ()
    kit = _kept_kit(kept)
    if kit is None:
        kit, report = import_kit(path, kept / "kit.toml", choices)
        _remove_oldest(kept.parent)
    return replace(kit, path=None), report


def _kept_kit(kept: Path) -> Kit | None:
    """Return a kit of the cache; None where it is not there, or is damaged and is to be made again."""
    if not (kept / "kit.toml").is_file():
        return None
    try:
        return load_kit(kept / "kit.toml")
    except KitError:
        shutil.rmtree(kept, ignore_errors=True)
        return None


def import_kit(
    source: Path, output: Path, choices: ImportChoices, *, replace_old: bool = False
) -> tuple[Kit, tuple[str, ...]]:
    """Write a kit file of another sampler's kit, and beside it a folder of the hits that lie elsewhere.

    Both appear when all of it was read, or neither. Returns the kit and what was not taken over. `KitError` for
    a source that cannot be used, or where there is a kit already.
    """
    folder = output.parent
    hits = folder / f"{output.stem} hits"
    if source.is_dir():
        # A preset that is not there is the first thing to mend.
        source, choices = without_folder(source, choices)
    check_kit_path(output, replace=replace_old)
    prepare_folder(folder)
    remove_stale(folder)
    with output_errors(output), partial_folder(folder) as work, _naming(source, work):
        imported = read_source(source, work, choices)
        kit, placed = _placed(imported, folder, work, hits)
        _check_sounds(imported.kit)
        if placed and hits.exists() and not replace_old:
            raise KitError(f"{hits}: is already there; choose another name, or add --force to replace it")
        if placed:
            files = (file for pad in imported.kit.pads for file in pad.files)
            check_replaced(hits, output, (source, chosen_program(source, choices), *files))
        with in_place(work, hits):
            text = HEAD + kit_text(kit, folder)
            # What the parser would refuse is never written.
            parse_kit(text, folder, f"{source}, as a kit")
            write_bytes(output, text.encode())
        report = tuple(line.replace(str(work / UNPACKED), str(source)) for line in imported.report)
    return replace(kit, path=output), report


@contextmanager
def _naming(source: Path, work: Path) -> Iterator[None]:
    """Let errors name an archive, not the folder that it is unpacked into."""
    try:
        yield
    except InputError as error:
        message = str(error)
        for folder in (work / UNPACKED, work / "mixed"):
            message = message.replace(str(folder), str(source))
        raise type(error)(message) from error


def _placed(imported: Imported, folder: Path, work: Path, hits: Path) -> tuple[Kit, bool]:
    """Copy files that lie outside the kit's folder, or in `work`, and return the kit with where they will lie."""
    target: dict[Path, Path] = {}
    taken: set[str] = set()

    def place(file: Path) -> Path:
        if file in target:
            return target[file]
        if not file.is_relative_to(work) and _can_stay(file, folder):
            return target.setdefault(file, file)
        root = work / "mixed" if file.is_relative_to(work / "mixed") else imported.root
        name = UNPRINTABLE.sub("_", file.relative_to(root).with_suffix("").as_posix())
        inside = f"{distinct_name(name, taken)}{UNPRINTABLE.sub('_', file.suffix)}"
        copy = work / "hits" / inside
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        return target.setdefault(file, hits / inside)

    pads = tuple(_moved(pad, place) for pad in imported.kit.pads)
    return replace(imported.kit, pads=pads), bool(taken)


def _can_stay(file: Path, folder: Path) -> bool:
    """Return whether a kit file in `folder` can name a file where it lies, links followed."""
    inside = path_inside(file, folder)
    return inside is not None and is_usable_text(inside) and real_path(file).is_relative_to(real_path(folder))


def _moved(pad: Pad, place: Callable[[Path], Path]) -> Pad:
    hits = tuple(replace(hit, file=place(hit.file)) for hit in pad.hits)
    return replace(pad, hit=place(pad.hit) if pad.hit else None, hits=hits)


def _check_sounds(kit: Kit) -> None:
    """Open every hit, so that no kit is written that cannot be played; `KitError` names the first that fails."""
    offsets: dict[Path, float] = {file: 0.0 for pad in kit.pads for file in pad.files}
    for hit in (hit for pad in kit.pads for hit in pad.hits):
        offsets[hit.file] = max(offsets[hit.file], hit.offset)
    for file, offset in offsets.items():
        try:
            read_audio(file)
            check_offset(file, offset)
        except AudioFileError as error:
            raise KitError(f"{error}, or remove it from the kit; nothing was imported") from error
        except FieldError as error:
            raise KitError(f"{file}: its {error} in its kit; nothing was imported") from error


def _digest(path: Path, choices: ImportChoices) -> str:
    """Return a name for what an import of a source makes."""
    program = chosen_program(path, choices)
    found = program.stat()
    text = repr((str(real_path(program)), found.st_mtime_ns, found.st_size, choices))
    return hashlib.sha256(text.encode()).hexdigest()[:_NAME_DIGITS]


def _remove_oldest(folder: Path) -> None:
    kept = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in kept[:-_MOST_KEPT]:
        shutil.rmtree(path, ignore_errors=True)

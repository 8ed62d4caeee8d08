"""What an import may replace: the hits of an earlier import, and no file of anybody else."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.kit.toml_text import parse_text, read_text

HEAD: Final = "# Imported: 'ghostnote kit import --force' replaces this file and its hits, which are copies.\n"
"""The first line of a kit that an import wrote, by which the next one knows it."""
_LITTER: Final = (".DS_Store", "Thumbs.db", "desktop.ini")
"""What systems put into folders that someone looked into."""


def check_replaced(hits: Path, output: Path, read: Iterable[Path]) -> None:
    """Raise `KitError` where replacing the folder `hits` of the kit `output` would delete more than that kit's hits.

    That is a file or folder of those that the import `read`, a file that the kit does not name, or any of a kit that no
    import wrote: its hits are someone's own.
    """
    if not os.path.lexists(hits):
        return
    if not hits.is_dir():
        raise KitError(f"{hits}: is a file, but the hits need a folder of that name; move it, or choose another name")
    real = real_path(hits)
    for path in read:
        if real_path(path).is_relative_to(real):
            raise KitError(
                f"{path}: lies in {hits}, which the import would replace; move it elsewhere, or choose another name"
            )
    if os.path.lexists(output) and not _is_imported(output):
        raise KitError(f"{output}: no import wrote it, so {hits} is not replaced; move it, or choose another name")
    named = _named_hits(output)
    for path in sorted(hits.rglob("*")):
        is_file = path.is_symlink() or not path.is_dir()
        if is_file and path.name not in _LITTER and os.path.normpath(path) not in named:
            raise KitError(
                f"{path}: is no hit of {output}, but would be deleted with {hits}; "
                "move it elsewhere, or choose another name"
            )


@contextmanager
def in_place(work: Path, hits: Path) -> Iterator[None]:
    """Let the folder `hits` in `work` lie in its place in the block; after an error in it all is as it was before."""
    new, old = work / "hits", work / "replaced"
    if not new.is_dir():
        yield
        return
    if os.path.lexists(hits):
        hits.rename(old)
    try:
        new.rename(hits)
        yield
    except BaseException:
        rmtree(hits, ignore_errors=True)
        if os.path.lexists(old):
            old.rename(hits)
        raise


def _is_imported(kit: Path) -> bool:
    try:
        return read_text(kit).startswith(HEAD)
    except KitError:
        return False


def _named_hits(kit: Path) -> set[str]:
    """Return the files that a kit's pads name, whether or not they are there; none where it is no kit."""
    try:
        pads = parse_text(read_text(kit), str(kit)).get("pad")
    except KitError:
        return set()
    entries = [pad for pad in pads if isinstance(pad, dict)] if isinstance(pads, list) else []
    files = [file for pad in entries for file in (pad.get("hit"), *_files(pad.get("hits")))]
    return {os.path.normpath(kit.parent / file) for file in files if isinstance(file, str)}


def _files(hits: Any) -> Iterator[Any]:
    """Yield the files of a list of strokes; a folder, which no import writes, names none."""
    for hit in hits if isinstance(hits, list) else ():
        yield hit.get("file") if isinstance(hit, dict) else hit

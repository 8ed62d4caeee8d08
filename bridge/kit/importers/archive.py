"""Archives of kits, unpacked safely: no file outside the folder, and bounded in size."""

import errno
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.atomic_file import output_errors
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES
from ghostnote.bridge.io.printable import shown

PACKED: Final = (".h2drumkit", ".dslibrary")
"""The endings of archives that are a kit for sure."""
ARCHIVES: Final = (*PACKED, ".zip", ".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".tar")
MOST_BYTES: Final = 4 * 2**30
MOST_FILES: Final = 20_000
MOST_RATIO: Final = 100
"""Sound and text shrink to a hundredth at most; what claims more would only fill the disk."""

_RATIO_FROM_BYTES: Final = 64 * 2**20
_MOST_LETTERS: Final = 100
_BLOCK: Final = 2**20
_WANTED: Final = (*HIT_SUFFIXES, ".xml", ".sfz", ".sfzh", ".txt", ".inc", ".dspreset")
_ERRORS: Final = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, struct.error, EOFError, OSError, RuntimeError),
    # As for names that are no text, and numbers in headers that are none.
    *(ValueError, LookupError, ArithmeticError),
)
_NAME_ERRORS: Final = {
    errno.ENAMETOOLONG: "its name is too long here",
    errno.EEXIST: "a file and a folder have one name",
    errno.ENOTDIR: "a file and a folder have one name",
    errno.EISDIR: "a file and a folder have one name",
}


def is_archive(path: Path) -> bool:
    """Return whether a file's name is an archive's."""
    return path.name.lower().endswith(ARCHIVES) and path.is_file()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the sounds and texts of an archive into a folder; `KitError` for one that is damaged or lies."""
    try:
        _write(archive, _members(archive), folder)
    except _ERRORS as error:
        raise _damaged(archive, error) from error


def _damaged(archive: Path, error: Exception) -> KitError:
    reason = " ".join(str(error).split())[:_MOST_LETTERS]
    # Where no kind of archive fits, Python says of each why not.
    why = "" if isinstance(error, tarfile.ReadError) else f" ({reason})"
    return KitError(f"{archive}: is damaged, or not an archive{why}; download it again")


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the name and the content of each file in an archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise _link(archive, entry.filename)
                if not entry.is_dir():
                    with packed.open(entry) as file:
                        yield entry.filename, file
        return
    with tarfile.open(archive) as tape:
        for member in tape:
            if member.issym() or member.islnk():
                raise _link(archive, member.name)
            content = tape.extractfile(member) if member.isfile() else None
            if content:
                yield member.name, content


def _link(archive: Path, name: str) -> KitError:
    return KitError(f"{archive}: holds a link, {shown(name)}; kits hold files alone: pack it without links")


def _write(archive: Path, members: Iterator[tuple[str, IO[bytes]]], folder: Path) -> None:
    packed, total = archive.stat().st_size, 0
    for number, (name, content) in enumerate(members, 1):
        if number > MOST_FILES:
            raise KitError(f"{archive}: holds more than {MOST_FILES:,} files; unpack it by hand")
        target = folder / _inside(archive, name)
        if target.suffix.lower() not in _WANTED:
            continue
        with _opened(archive, name, target) as file:
            while block := _next_block(archive, content):
                total += len(block)
                if total > MOST_BYTES or total > max(_RATIO_FROM_BYTES, MOST_RATIO * packed):
                    raise KitError(
                        f"{archive}: grows to more than {total // 2**20} MB from {packed / 2**20:.1f} MB; no kit does: "
                        "it would fill the disk"
                    )
                file.write(block)


@contextmanager
def _opened(archive: Path, name: str, target: Path) -> Iterator[IO[bytes]]:
    """Yield the file that a member is unpacked into; `KitError` where no file can be called so."""
    with output_errors(f"what {archive} holds"):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("wb")
        except OSError as error:
            if error.errno not in _NAME_ERRORS:
                raise
            why = _NAME_ERRORS[error.errno]
            raise KitError(f"{archive}: holds {shown(name)}, but {why}; pack it again with other names") from error
        with file:
            yield file


def _next_block(archive: Path, content: IO[bytes]) -> bytes:
    """Return more of a member's content, nothing at its end; an `OSError` of reading is none of writing."""
    try:
        return content.read(_BLOCK)
    except OSError as error:
        raise _damaged(archive, error) from error


def _inside(archive: Path, name: str) -> PurePosixPath:
    """Return a member's path, which must not lead out of the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts:
        raise _damaged(archive, ValueError(f"it holds a file without a name, {shown(name)}"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or ":" in path.parts[0]:
        raise KitError(f"{archive}: holds a file that would lie outside its folder, {shown(name)}; do not trust it")
    return path

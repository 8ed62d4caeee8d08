"""Files written whole or not at all, and the reasons why one cannot be written."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.partial_files import lock, partial_path, remove_stale
from ghostnote.bridge.io.printable import shortened

MAX_AIFF_BYTES: Final = 0xFFF00000 - 4096
"""What JUCE's encoder takes."""

_CAUSES: Final = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EFBIG: "the file grows larger than is allowed here; choose another folder or a smaller format",
    errno.EACCES: "permission is denied; choose a folder that you may write to",
    errno.EPERM: "permission is denied; choose a folder that you may write to",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another folder",
    errno.EEXIST: "a file stands where the folder should be; choose another folder",
    errno.EISDIR: "it is a folder; give a file name",
    errno.ENOENT: "its folder does not exist; make the folder first",
    errno.ELOOP: "its links go in a circle; choose another name, or remove the link",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}
_OF_ANY_FILE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG)
"""Causes that hold for a file whatever is done with it."""
_GONE: Final = "the current folder is gone; change to another one"
_TAKES_NONE: Final = "nothing can be made in its folder; choose another folder"
_SHOWN_NAME: Final = 200
"""Characters of a name of any length."""


def check_size(path: Path, container: str, samples: int, bits: int | None) -> None:
    """Raise `OutputError` where so many samples are more than a sound file's format holds."""
    if container == "aiff" and bits and samples * bits // 8 > MAX_AIFF_BYTES:
        raise OutputError(f"cannot write {path}: AIFF holds at most 4 GiB; end the name in .wav or .flac")


def system_trouble(error: OSError) -> str | None:
    """Return what the system says of a file, with its name, the cause and the remedy; None where it names none."""
    if error.filename is None:
        return _GONE if error.errno == errno.ENOENT and _is_current_folder_gone() else None
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
    shown = shortened(name, _SHOWN_NAME)
    if error.errno in _OF_ANY_FILE:
        return f"{shown}: {_CAUSES[error.errno]}"
    why = error.strerror or str(error)
    return f"{shown}: {why[:1].lower()}{why[1:]}; check the path"


def _is_current_folder_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


@contextmanager
def output_errors(path: Path | str) -> Iterator[None]:
    """Turn an `OSError` of the block into an `OutputError` that names `path`, the cause and the remedy."""
    try:
        yield
    except OSError as error:
        cause = _CAUSES.get(error.errno or 0, error.strerror or str(error))
        if error.errno == errno.ENOENT and Path(path).parent.is_dir():
            cause = _GONE if _is_current_folder_gone() else _TAKES_NONE
        raise OutputError(f"cannot write {path}: {cause}") from error


def prepare_folder(folder: Path) -> None:
    """Make `folder` and those above it; `OutputError` when that cannot be done."""
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Yield a new file beside `path` that takes its place when the block ends without an error.

    After an error, Ctrl-C included, the new file is removed and what was at `path` before is unchanged.
    A link is followed, a missing folder made, a read-only file refused. Errors of opening, of the last
    flush and of the replacement are `OutputError`; the block's own errors pass as they are. What a killed
    process left in the folder is removed. A file that is not `durable` may be lost in a power cut soon after.
    """
    with output_errors(path):
        target = _target(path)
    prepare_folder(target.parent)
    remove_stale(target.parent)
    temporary = partial_path(target.parent)
    try:
        with output_errors(path):
            file = temporary.open("x+b")
            lock(file.fileno())
        try:
            yield file
            with output_errors(path):
                file.flush()
                if durable:
                    os.fsync(file.fileno())
        finally:
            # Closing flushes again what a full disk refused: that error is already on its way.
            with suppress(OSError):
                file.close()
        with output_errors(path):
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _target(path: Path) -> Path:
    """Return the file that `path` means, links followed; it need not exist, but cannot be anything else."""
    target = path
    try:
        mode = os.lstat(target).st_mode
        if stat.S_ISLNK(mode):
            target = Path(os.path.realpath(path))
            mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if not stat.S_ISREG(mode):
        raise OutputError(f"cannot write {path}: it is a device; give a file name")
    # Even root, who may write everything, marked it for a reason.
    if not mode & 0o222 or not os.access(target, os.W_OK):
        raise OutputError(f"cannot write {path}: it is read-only; choose another name, or allow writing to it")
    return target


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file whole, or leave everything as it was and raise `OutputError`; `durable` is as in `replacing`."""
    with replacing(path, durable=durable) as file, output_errors(path):
        file.write(data)

"""What a command may write: never a file that it reads, one name for one output, and no recording twice.

Nor does it make a folder of what is named like a sound file.
"""

import errno
import os
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path

from ghostnote.bridge.errors import InputError, OutputError
from ghostnote.bridge.io.atomic_file import output_errors
from ghostnote.bridge.io.audio_file import names_sound_file
from ghostnote.bridge.io.input_file import real_path


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuse outputs that are inputs or one another, under whatever name or link; None is left out. `OutputError`."""
    taken = {_file(path): "it is also read" for path in inputs if path}
    for path in (path for path in outputs if path):
        reason = taken.setdefault(_file(path), "")
        if reason:
            raise OutputError(f"cannot write {path}: {reason}; choose another name")
        taken[_file(path)] = "it is also the name of another output"


def check_folder(output: Path, why: str, remedy: str = "give a folder") -> None:
    """Refuse the name of a sound file where several files are written, for a reason; `InputError`.

    `OutputError` as of `check_place`.
    """
    if names_sound_file(output):
        raise InputError(f"{output}: is the name of a sound file, and {why}; {remedy}")
    check_place(output)


def check_place(folder: Path) -> None:
    """Raise `OutputError` for a folder that cannot be made, as it, or one above it, is a file."""
    with output_errors(folder):
        standing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
        if not standing.is_dir():
            code = errno.EEXIST if standing == folder else errno.ENOTDIR
            raise OSError(code, os.strerror(code))


def numbered(path: Path, ending: str = "") -> Path:
    """Return `path`, or where that is there already the first free one of `NAME-2`, `NAME-3` and so on.

    A name is free if neither it nor the name with `ending` behind it is there. `OutputError` for '.' and '..'.
    """
    if path.name in ("", ".."):
        raise OutputError(f"cannot write {path}: it is a folder; name what is to be made in it")
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    free = (name for name in chain((path,), names) if not (os.path.lexists(name) or os.path.lexists(f"{name}{ending}")))
    return next(free)


def _file(path: Path) -> tuple[int, int] | Path:
    """Return what is the same for all names of a file."""
    real = real_path(path)
    try:
        found = real.stat()
    except OSError:
        # It is not there yet.
        return real
    return found.st_dev, found.st_ino

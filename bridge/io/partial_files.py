"""Names for what is not finished yet, and how a later run tells what a killed one left from what is being written.

Whoever writes holds a lock on it, which the system takes back from a process that is gone, however it went.
"""

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

PARTS: Final = ".ghostnote-*.part"
"""The pattern of unfinished files' and folders' names."""
_FOLDERS_REMEMBERED: Final = 64
_YOUNG_SECONDS: Final = 10.0
"""What is younger may not have been marked yet."""


def part_of(folder: Path) -> Path:
    """Return a new name for something unfinished in a folder."""
    return folder / f".ghostnote-{secrets.token_hex(6)}.part"


def hold(descriptor: int) -> None:
    """Mark an open file or folder as being written, until it is closed; where nothing can be locked do nothing."""
    # Elsewhere an open file cannot be removed, which does as well.
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def held_folder(path: Path) -> Iterator[None]:
    """Make a folder, and mark it as being written inside the block; at its end it is removed."""
    path.mkdir()
    descriptor = None if sys.platform == "win32" else os.open(path, os.O_RDONLY)
    try:
        if descriptor is not None:
            hold(descriptor)
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


@lru_cache(maxsize=_FOLDERS_REMEMBERED)
def clear_leftovers(folder: Path) -> None:
    """Remove, once in a process, what killed runs left unfinished in a folder; what is being written stays."""
    with suppress(OSError):
        for part in folder.glob(PARTS):
            with suppress(OSError):
                if time.time() - part.stat().st_mtime > _YOUNG_SECONDS:
                    _remove_unheld(part)


def _remove_unheld(part: Path) -> None:
    """Remove an unfinished file or folder; `OSError` if somebody writes it, or it cannot be told."""
    if sys.platform == "win32":
        shutil.rmtree(part) if part.is_dir() else part.unlink()
        return
    descriptor = os.open(part, os.O_RDONLY if part.is_dir() else os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()
    finally:
        os.close(descriptor)

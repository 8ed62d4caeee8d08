"""Unfinished files and folders: their names, and how a later run tells those of a killed run from those in work.

A writer holds a lock on what it writes, which the system releases when the process ends, however it ends.
"""

import os
import platform
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import InputError

if sys.platform != "win32":
    import fcntl

PARTIAL_PATTERN: Final = ".ghostnote-*.part"
"""Matches the names of unfinished files and folders."""
_CACHED_FOLDERS: Final = 64
_YOUNG_SECONDS: Final = 10.0
"""A younger file may not be locked yet."""


def partial_path(folder: Path) -> Path:
    """Return a new name for something unfinished in a folder."""
    return folder / PARTIAL_PATTERN.replace("*", secrets.token_hex(6))


def lock(descriptor: int) -> None:
    """Lock an open file or folder until it is closed; where nothing can be locked do nothing."""
    # Windows refuses to remove an open file, which does as well.
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def is_locked(path: Path) -> bool:
    """Return whether a process still writes a file; where nothing can be locked, nobody does."""
    try:
        with path.open("r+b") as file:
            if sys.platform != "win32":
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def only_process(path: Path) -> Iterator[None]:
    """Hold a lock file with this process's number; `InputError` names the process that holds it already.

    The lock ends with its process, however that ends.
    """
    if sys.platform == "win32":
        yield
        return
    while True:
        with path.open("a+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                holder = file.read().decode("utf-8", "replace") or "another process"
                raise InputError(
                    f"{path.parent}: {holder} is at work in it; wait for its end, or choose another folder"
                ) from error
            except OSError:
                # A file system without locks.
                yield
                return
            if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), path.stat()):
                continue
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}".encode())
            file.flush()
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


@contextmanager
def partial_folder(parent: Path) -> Iterator[Path]:
    """Make a folder in `parent`, locked inside the block; at its end it is removed."""
    path = partial_path(parent)
    path.mkdir()
    descriptor = None if sys.platform == "win32" else os.open(path, os.O_RDONLY)
    try:
        if descriptor is not None:
            lock(descriptor)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


@lru_cache(maxsize=_CACHED_FOLDERS)
def remove_stale(folder: Path) -> None:
    """Remove, once in a process, what killed runs left unfinished in a folder; what is being written stays."""
    with suppress(OSError):
        for path in folder.glob(PARTIAL_PATTERN):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _YOUNG_SECONDS:
                    _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    """Remove an unfinished file or folder; `OSError` if it is locked."""
    is_folder = path.is_dir()
    descriptor = None
    if sys.platform != "win32":
        descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        if descriptor is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path) if is_folder else path.unlink()
    finally:
        if descriptor is not None:
            os.close(descriptor)

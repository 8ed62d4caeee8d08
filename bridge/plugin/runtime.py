"""Where a plugin finds the daemon: a folder and a socket of this user's alone, under a name that nobody can guess."""

import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.runtime_folder import check_peer, runtime_folder

POINTER: Final = "daemon"
"""The file that names the socket of the daemon that runs."""
_LOCK: Final = "lock"


class AlreadyRunsError(GhostnoteError):
    """Another daemon of this user serves plugins."""

    exit_code = 0


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Yield the socket that plugins connect to; `AlreadyRunsError` where another daemon has one."""
    folder = runtime_folder()
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    name = f"{secrets.token_hex(16)}.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunsError("a daemon for plugins already runs: it is enough for all of them") from error
        _remove_sockets(folder)
        _bind(listener, folder, name)
        _point_to(folder, name)
        yield listener
    finally:
        with suppress(OSError):
            if (folder / POINTER).read_text() == name:
                (folder / POINTER).unlink()
        with suppress(OSError):
            (folder / name).unlink()
        listener.close()
        os.close(lock)


def connect(seconds: float = 5.0) -> socket.socket:
    """Return a connection to the daemon that runs; `GhostnoteError` where none does."""
    folder = runtime_folder()
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(seconds)
    place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        line.connect(f"/proc/self/fd/{place}/{(folder / POINTER).read_text()}")
        check_peer(line)
    except OSError as error:
        line.close()
        raise GhostnoteError("no daemon for plugins runs: a plugin in a host starts one") from error
    finally:
        os.close(place)
    return line


def _bind(listener: socket.socket, folder: Path, name: str) -> None:
    # By the folder's handle: a socket's path may have a hundred letters at most.
    place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    before = os.umask(0o177)
    try:
        listener.bind(f"/proc/self/fd/{place}/{name}")
    finally:
        os.umask(before)
        os.close(place)
    listener.listen()


def _point_to(folder: Path, name: str) -> None:
    part = folder / f"{name}.new"
    part.touch(0o600)
    part.write_text(name)
    part.replace(folder / POINTER)


def _remove_sockets(folder: Path) -> None:
    """Remove what killed daemons left."""
    for left in (*folder.glob("*.sock"), *folder.glob("*.new")):
        left.unlink(missing_ok=True)

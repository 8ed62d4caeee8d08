"""The folder of this user's running programs, where they find each other, and the check of who connects."""

import os
import socket
import stat
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import GhostnoteError

_CREDENTIALS: Final = struct.Struct("3i")


def runtime_folder() -> Path:
    """Return the folder, made if need be; `GhostnoteError` if somebody else could reach into it."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    folder = base / "ghostnote" if base.is_absolute() else Path(tempfile.gettempdir()) / f"ghostnote-{os.getuid()}"
    try:
        with suppress(FileExistsError):
            folder.mkdir(0o700)
        found = folder.lstat()
    except OSError as error:
        raise GhostnoteError(
            f"no daemon can be reached by {folder}: {error.strerror}; set XDG_RUNTIME_DIR to a folder of yours"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise GhostnoteError(f"{folder} is open to other users: remove it, and ghostnote makes it anew")
    return folder


def check_peer(line: socket.socket) -> None:
    """Raise `PermissionError` where the other end is another user's."""
    found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    if _CREDENTIALS.unpack(found)[1] != os.getuid():
        raise PermissionError("a connection of another user")

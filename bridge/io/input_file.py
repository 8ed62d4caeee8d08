"""Files that a user gives to be read, and the reasons why one cannot be."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.errors import InputError

_MAX_REPORT_BYTES: Final = 2**24


def real_path(path: Path) -> Path:
    """Return a path with its links followed, absolute; for links that go in a circle, too, which no file can be at."""
    return Path(os.path.realpath(path))


def read_report(path: Path) -> Any:
    """Return what a report of 'ghostnote evaluate' holds; `ValueError` for other text, `InputError` as `read_head`."""
    return json.loads(read_head(path, "a report", InputError, _MAX_REPORT_BYTES))


def read_head(path: Path, what: str, error: type[InputError], limit: int) -> bytes:
    """Return the first `limit` bytes of a file, or raise `error`, which says why it cannot serve as `what`."""
    try:
        found = path.stat()
        mode = found.st_mode
        if stat.S_ISDIR(mode):
            raise error(f"{path}: is a folder; name {what} in it")
        if not stat.S_ISREG(mode):
            raise error(f"{path}: is a device or a pipe, not {what}; name a file")
        with path.open("rb") as file:
            return file.read(min(limit, found.st_size))
    except FileNotFoundError as cause:
        raise error(f"{path}: there is no such file; check the path") from cause
    except (OSError, ValueError) as cause:
        if isinstance(cause, OSError) and cause.errno == errno.ELOOP:
            raise error(f"{path}: its links go in a circle, and no file is at their end; name {what} itself") from cause
        raise error(f"{path}: cannot be opened ({cause})") from cause

"""Keeps C libraries from writing to the terminal."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_STDERR: Final = 2


@contextlib.contextmanager
def stderr_discarded() -> Iterator[None]:
    """Keep off the terminal what JACK's library writes there when no server runs."""
    try:
        before = os.dup(_STDERR)
    except OSError:
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        yield
    finally:
        os.dup2(before, _STDERR)
        os.close(before)

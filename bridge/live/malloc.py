"""What the processes of the daemon ask of the C library, so that memory that is free goes back to the system."""

import contextlib
import ctypes
import sys
from typing import Final

_MMAP_THRESHOLD: Final = -3
"""As glibc's malloc.h numbers it."""
_LARGE_BYTES: Final = 128 * 2**10
"""Where glibc itself begins to take blocks from the system one by one; strokes of 0.74 s are beyond it."""


def large_blocks_apart() -> None:
    """Have every large block, as strokes are, come from the system and go back when it is freed.

    By itself glibc raises its bound as soon as such a block is freed. From then on strokes lie between small blocks,
    in memory that is never given back.
    """
    _call("mallopt", _MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Return what malloc holds free, once: it takes milliseconds."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    """Call a function of glibc; where the C library is another, nothing happens."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            getattr(ctypes.CDLL(None), name)(*arguments)

"""Spares the audio thread delays: garbage collection of what stays, and pages that were swapped out."""

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from typing import Final

_CURRENT, _FUTURE, _ON_FAULT = 1, 2, 4
_WHAT: Final = _CURRENT | _FUTURE | _ON_FAULT
"""All pages that were used once, now and later: never more than what is resident anyway."""


@contextlib.contextmanager
def memory_locked() -> Iterator[bool]:
    """Keep what is there now, for the length of the block; True where its pages cannot be swapped out either."""
    gc.collect()
    # To look it all through again would take the interpreter's lock for milliseconds.
    gc.freeze()
    is_kept = _keep_pages()
    try:
        yield is_kept
    finally:
        if is_kept:
            ctypes.CDLL(None).munlockall()
        gc.unfreeze()


def _keep_pages() -> bool:
    """Ask Linux to keep the pages of this process in memory; False where it refuses, or would refuse more later."""
    if not sys.platform.startswith("linux"):
        return False
    import resource

    limits = resource.RLIM_INFINITY, resource.RLIM_INFINITY
    try:
        # Under a limit, memory that goes beyond it would be refused.
        resource.setrlimit(resource.RLIMIT_MEMLOCK, limits)
        return bool(ctypes.CDLL(None).mlockall(_WHAT) == 0)
    except (ValueError, OSError, AttributeError):
        return False

"""Pads whose strokes cannot be made: set aside, named, and tried again when that may help."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.pool import PadQueue, Pool, StrokeRequest

_RETRY_SECONDS: Final = 30.0
_MOST_DEATHS: Final = 3
"""A pad whose stroke was under way so often in a row when a worker ended is set aside."""


FileStates = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class _SetAside:
    """A pad whose strokes could not be made: why, how its files were then, and when it is tried again."""

    why: str
    files: FileStates
    retry_at: float


def _file_states(pad: Pad) -> FileStates:
    """Return when each of a pad's hits was written and its size; None where a file is gone."""
    return tuple(map(_file_state, pad.files))


def _file_state(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class FailingPads:
    """Belongs to the thread that fills the pool; `warnings` may be emptied by any."""

    def __init__(self, pool: Pool) -> None:
        """Start with all pads of the pool well."""
        self.warnings: list[str] = []
        """What there is to say of pads, one sentence each."""
        self._pool = pool
        self._aside: dict[PadQueue, _SetAside] = {}

    def add(self, request: StrokeRequest, why: str) -> None:
        """Make no more strokes of a pad for a while, and say so once."""
        queue = request.queue
        if request.generation != queue.generation or queue.failed:
            return
        before = self._aside.get(queue)
        if before is None or before.why != why:
            self.warnings.append(f"pad '{request.pad.name}' cannot be played: {why}")
            queue.failed_since = time.perf_counter()
        self._aside[queue] = _SetAside(why, _file_states(request.pad), time.monotonic() + _RETRY_SECONDS)
        queue.failed = why

    def count_death(self, request: StrokeRequest) -> None:
        """Count that a worker ended while it made this stroke."""
        request.queue.deaths += 1
        if request.queue.deaths >= _MOST_DEATHS:
            self.add(request, "its strokes end the process that makes them")

    def discard(self, request: StrokeRequest) -> None:
        """Take note that a stroke was made."""
        if self._aside.pop(request.queue, None):
            self.warnings.append(f"pad '{request.pad.name}' is played again")

    def try_again(self, now: float) -> None:
        """Take pads up again whose file has changed or come back, and after a while all that ended no process."""
        for queue in [queue for queue in self._aside if queue not in self._pool.queues]:
            del self._aside[queue]
        for queue, aside in self._aside.items():
            is_over = now >= aside.retry_at and not queue.deaths
            if queue.failed and (is_over or _file_states(queue.pad) != aside.files):
                queue.failed = ""

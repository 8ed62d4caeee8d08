"""Tells a machine that stood still from a program that was late: hosts take processors away from their guests.

On each processor a process of its own does nothing but wake every millisecond, before all other programs. When even
that comes late, no audio could have been in time.
"""

import gc
import multiprocessing
import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final

from ghostnote.bridge.devices.base import prefer_thread

Span = tuple[float, float]
"""Begin and end, in `perf_counter` seconds, which all processes share."""

STALL_SECONDS: Final = 0.0005
"""A wake-up later than this is a stall."""

_PERIOD_SECONDS: Final = 0.001
_PRIORITY: Final = 90
_ASK_EVERY: Final = 100


class CpuStallMonitor:
    """Watches for spans in which a processor stands still. A context manager; `spans` is complete after it."""

    def __init__(self) -> None:
        """Prepare one watcher for each processor that may be used."""
        self.spans: list[Span] = []
        """When any of the processors stood still."""
        affinity = getattr(os, "sched_getaffinity", None)
        self._processors = sorted(affinity(0)) if affinity else []
        self._watchers: list[tuple[multiprocessing.process.BaseProcess, Connection]] = []

    def __enter__(self) -> "CpuStallMonitor":
        """Start to watch; where processors cannot be chosen, nothing is seen."""
        context = multiprocessing.get_context("spawn")
        for processor in self._processors:
            ours, theirs = context.Pipe()
            process = context.Process(target=_watch, args=(processor, theirs), daemon=True)
            process.start()
            theirs.close()
            self._watchers.append((process, ours))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and gather what was seen."""
        for process, line in self._watchers:
            try:
                line.send(None)
                self.spans += line.recv()
            except (EOFError, OSError):
                # A watcher that was ended from outside saw nothing: its standstills count as the program's.
                continue
            finally:
                line.close()
                process.join(1.0)


def overlap(span: Span, cpu_stalls: Sequence[Span]) -> float:
    """Return for how many seconds of a span at least one of the processors stood still."""
    seconds, reached = 0.0, span[0]
    for begin, end in sorted(cpu_stalls):
        seconds += max(0.0, min(end, span[1]) - max(begin, reached))
        reached = max(reached, end)
    return seconds


def excused(late: Span, limit_seconds: float, cpu_stalls: Sequence[Span]) -> bool:
    """Return whether a block that was late would have been in time on a machine that never stood still."""
    return late[1] - late[0] - overlap(late, cpu_stalls) <= limit_seconds


def _watch(processor: int, line: Connection) -> None:
    """Note when a processor stands still, until asked for it."""
    os.sched_setaffinity(0, {processor})
    prefer_thread(_PRIORITY)
    gc.disable()
    spans: list[Span] = []
    due = time.perf_counter()
    while not line.poll():
        for _ in range(_ASK_EVERY):
            due += _PERIOD_SECONDS
            time.sleep(max(0.0, due - time.perf_counter()))
            now = time.perf_counter()
            if now - due > STALL_SECONDS:
                # It may have begun at any moment since the last wake-up.
                spans.append((due - _PERIOD_SECONDS, now))
                due = now
    line.send(spans)

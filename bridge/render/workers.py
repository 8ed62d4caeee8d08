"""Worker processes: strokes and whole files made ahead of their use, and returned in order."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.inference.variation import ROWS, StrokeKey
from ghostnote.bridge.kit.kit import Pad

MAX_JOBS: Final = 64
_AHEAD: Final = 4
"""Tasks under way for each worker: enough to keep it busy, few enough to hold in memory."""
_BATCHES_AHEAD: Final = 2
"""The same for tasks of several strokes each."""
_LOOK_AHEAD: Final = 96
"""How many strokes wait for others of their pad: in songs these make batches of seven out of eight possible strokes."""
_STROKES_FOR_A_WORKER: Final = 64
"""Fewer strokes take less time than starting another process."""
_AUTO_JOBS: Final = 8
_PATIENCE_SECONDS: Final = 3.0
"""A worker that is not through with its task by then stands still."""

Audio = NDArray[np.float32]
TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")
Opener = Callable[[], Callable[[TaskT], ResultT]]
"""Called once in each process, it returns what works on a task. It must be picklable."""


class Source(Protocol):
    """Makes strokes."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        """Return the pad's `index`-th stroke, (2, frames)."""

    def strokes(self, pad: Pad, keys: Sequence[StrokeKey]) -> Sequence[Audio]:
        """Return several of the pad's strokes; they are the same as one by one."""


class Spec(Protocol):
    """What a worker process needs to open a source; it must be picklable."""

    def open(self) -> Source:
        """Open the source."""


@dataclass(frozen=True, slots=True)
class Request:
    """One stroke to be made."""

    pad: Pad
    index: int
    velocity: int


_Batch = dict[int, Request]
"""Requests of one pad by their number."""


def auto_jobs(strokes: int) -> int:
    """Return how many processes to start for so many strokes on this machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores, _AUTO_JOBS, strokes // _STROKES_FOR_A_WORKER))


@dataclass(frozen=True, slots=True)
class _Strokes:
    """Opens a source of strokes in a worker process."""

    spec: Spec

    def __call__(self) -> Callable[[_Batch], dict[int, Audio]]:
        source = self.spec.open()

        def work(batch: _Batch) -> dict[int, Audio]:
            keys = [StrokeKey(request.index, request.velocity) for request in batch.values()]
            pad = next(iter(batch.values())).pad
            return dict(zip(batch, source.strokes(pad, keys), strict=True))

        return work


def stroke_results(spec: Spec, requests: Iterable[Request], jobs: int) -> Generator[Audio]:
    """Yield the strokes of `requests` in their order; all else is as in `ordered_map`.

    Those of a pad are made several at once, which takes less time. Which ones depends on the requests alone.
    """
    made: dict[int, Audio] = {}
    due = 0
    with closing(ordered_map(_Strokes(spec), _batches(requests), jobs, _BATCHES_AHEAD)) as results:
        for strokes in results:
            made |= strokes
            while due in made:
                yield made.pop(due)
                due += 1


def _batches(requests: Iterable[Request]) -> Iterator[_Batch]:
    """Yield the requests in batches of one pad, that of the first one first."""
    numbered, waiting = enumerate(requests), dict[int, Request]()
    while True:
        waiting |= islice(numbered, _LOOK_AHEAD - len(waiting))
        if not waiting:
            return
        pad = next(iter(waiting.values())).pad
        batch = dict(islice(((number, each) for number, each in waiting.items() if each.pad == pad), ROWS))
        for number in batch:
            del waiting[number]
        yield batch


def ordered_map(
    opener: Opener[TaskT, ResultT], tasks: Iterable[TaskT], jobs: int, ahead: int = _AHEAD
) -> Generator[ResultT]:
    """Yield the results of `tasks` in their order, from `jobs` processes, or from this one if that is 1.

    So many tasks `ahead` are under way for each process.
    Close the generator to end the workers early. `GhostnoteError` when a worker dies; what a task raises
    comes through.
    """
    if jobs == 1:
        yield from map(opener(), tasks)
        return
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(jobs, context, initializer=_start, initargs=(opener,))
    pending: deque[Future[ResultT]] = deque()
    try:
        for task in tasks:
            with interrupts_held():
                pending.append(executor.submit(_work, task))
            if len(pending) >= jobs * ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise GhostnoteError(
            "a worker process was ended from outside, perhaps because memory ran out: try fewer with --jobs"
        ) from error
    finally:
        _shut_down(executor)


def _shut_down(executor: ProcessPoolExecutor) -> None:
    """End the workers; those that stand still are killed, as they must hold up nobody."""
    workers = list((executor._processes or {}).values())
    end = partial(executor.shutdown, wait=True, cancel_futures=True)
    thread = threading.Thread(target=end, name="shutdown", daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECONDS)
    if thread.is_alive():
        for process in workers:
            process.kill()
        thread.join(_PATIENCE_SECONDS)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Block Ctrl-C while processes start: they inherit that, and end only when this process ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def main_left_out() -> Iterator[None]:
    """Let processes start without the program's main module, which they do not need and would run again.

    For a console command that is the whole command line, a tenth of a second.
    """
    main = sys.modules["__main__"]
    spec, path = main.__spec__, main.__dict__.pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        if path is not None:
            main.__file__ = path


class _Process:
    """The state of a worker process; the first task opens it, so that an error of opening reaches the caller."""

    opener: Opener[Any, Any] | None = None
    work: Callable[[Any], Any] | None = None


def _start(opener: Opener[Any, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Process.opener = opener
    threading.Thread(target=leave_with_parent, daemon=True).start()


def leave_with_parent() -> None:
    """End this process when the one that started it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:
    if _Process.work is None:
        if _Process.opener is None:
            raise GhostnoteError("a worker process was started without its opener")
        _Process.work = _Process.opener()
    return _Process.work(task)

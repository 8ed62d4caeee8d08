"""A batch on a Dask distributed cluster: many machines with one file system, or this machine's processes.

Dask trusts whoever reaches its ports: keep a cluster inside a network of your own.
"""

import platform
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import islice
from typing import Any, Final

from ghostnote.bridge.batch.journal import JOURNAL
from ghostnote.bridge.batch.worker import FileResult, FileTask
from ghostnote.bridge.errors import GhostnoteError, InputError, MissingExtraError, OutputError
from ghostnote.bridge.render.workers import Opener

LOCAL: Final = "local"
"""Instead of an address: workers are started on this machine."""

_TOGETHER: Final = 2
"""Files in a task of the cluster: each task costs a scheduler and a worker some milliseconds."""
_AHEAD: Final = 2
"""Tasks that wait or are being worked on, for each thread of the cluster."""
_LEAST_AHEAD: Final = 8
_LOOK_SECONDS: Final = 2.0
"""How often the cluster's threads are counted: workers come and go."""
_CONNECT_SECONDS: Final = 20
_QUIET_WORKERS: Final = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
}
"""Dask's profiler and monitors take a tenth of a worker's time, and nobody looks at them here."""


def cluster_pool(
    address: str, jobs: int
) -> Callable[[Opener[FileTask, FileResult], Iterable[FileTask]], Generator[FileResult]]:
    """Return a pool on the cluster whose scheduler is at `address`, or of `jobs` processes if `LOCAL`.

    Other workers repeat the files of one that is lost: a stroke is the same wherever it is made, and files
    appear whole. `MissingExtraError` without Dask, `InputError` for an
    address where no scheduler answers.
    """
    return lambda opener, tasks: _ordered_results(opener, tasks, address, jobs)


def _ordered_results(
    opener: Opener[FileTask, FileResult], tasks: Iterable[FileTask], address: str, jobs: int
) -> Generator[FileResult]:
    """Yield the results in the order of the tasks, with a bounded number of tasks under way."""
    try:
        dask: Any = import_module("distributed")
    except ImportError as error:
        raise MissingExtraError("--cluster", "cluster") from error
    with ExitStack() as stack:
        client = _client(stack, dask, address, jobs)
        pending: deque[Any] = deque()
        most, look_at = _LEAST_AHEAD, 0.0
        waiting = iter(tasks)
        try:
            while together := tuple(map(_with_absolute_paths, islice(waiting, _TOGETHER))):
                pending.append(client.submit(_work_on, opener, together, pure=False))
                if time.monotonic() >= look_at:
                    most = max(_LEAST_AHEAD, _AHEAD * sum(client.nthreads().values()))
                    look_at = time.monotonic() + _LOOK_SECONDS
                while len(pending) >= most:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        except dask.KilledWorker as error:
            raise GhostnoteError(
                "one file ended several workers in a row, perhaps because memory ran out; "
                "start workers with more memory, and go on with --resume"
            ) from error
        finally:
            client.cancel(list(pending))


def _client(stack: ExitStack, dask: Any, address: str, jobs: int) -> Any:
    """Return a connected client."""
    if address == LOCAL:
        stack.enter_context(import_module("dask.config").set(_QUIET_WORKERS))
        options = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
        address = stack.enter_context(dask.LocalCluster(processes=True, **options)).scheduler_address
    try:
        return stack.enter_context(dask.Client(address, timeout=_CONNECT_SECONDS))
    except (OSError, ValueError) as error:
        raise InputError(
            f"--cluster {address}: no scheduler answers there ({error}); "
            "give an address such as tcp://host:8786, or 'local'"
        ) from error


def _with_absolute_paths(task: FileTask) -> FileTask:
    """Return a task that means the same files in every process."""
    source = replace(task.source, path=task.source.path.absolute())
    return replace(task, source=source, output=task.output.absolute())


def _work_on(opener: Opener[FileTask, FileResult], tasks: Sequence[FileTask]) -> list[FileResult]:
    """Work on tasks in a worker."""
    output = tasks[0].output
    if not (output / JOURNAL).is_file():
        raise OutputError(
            f"the worker on {platform.node()} does not see {output}: "
            "workers need the output folder, and the sources, under the same path"
        )
    return list(map(_opened(opener), tasks))


@cache
def _opened(opener: Opener[FileTask, FileResult]) -> Callable[[FileTask], FileResult]:
    """Return what works on tasks; a worker opens its model once."""
    return opener()

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
from ghostnote.bridge.batch.worker import Outcome, Task
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
"""So often it is seen how many threads there are: workers come and go."""
_CONNECT_SECONDS: Final = 20
_QUIET_WORKERS: Final = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
}
"""Dask's profiler and monitors, which nobody looks at here, take a tenth of a worker's time."""


def cluster_pool(
    address: str, jobs: int
) -> Callable[[Opener[Task, Outcome], Iterable[Task]], Generator[Outcome]]:
    """Return what works on the cluster whose scheduler is at `address`, or with `jobs` processes if `LOCAL`.

    The files of a worker that is lost are done again by others; a stroke is the same wherever it is made,
    and files appear whole, so nobody can tell. `MissingExtraError` without Dask, `InputError` for an
    address where no scheduler answers.
    """
    return lambda opener, tasks: _done(opener, tasks, address, jobs)


def _done(
    opener: Opener[Task, Outcome], tasks: Iterable[Task], address: str, jobs: int
) -> Generator[Outcome]:
    """Yield the outcomes in the order of the tasks, a bounded number of them ahead."""
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
            while together := tuple(map(_shared, islice(waiting, _TOGETHER))):
                pending.append(client.submit(_do, opener, together, pure=False))
                if time.monotonic() >= look_at:
                    most = max(_LEAST_AHEAD, _AHEAD * sum(client.nthreads().values()))
                    look_at = time.monotonic() + _LOOK_SECONDS
                while len(pending) >= most:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        except dask.KilledWorker as error:
            raise GhostnoteError(
                "several workers in a row were lost over one file, perhaps for want of memory; "
                "start workers with more of it, and go on with --resume"
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


def _shared(task: Task) -> Task:
    """Return a task whose paths mean the same on every machine."""
    source = replace(task.source, path=task.source.path.absolute())
    return replace(task, source=source, output=task.output.absolute())


def _do(opener: Opener[Task, Outcome], tasks: Sequence[Task]) -> list[Outcome]:
    """Do tasks on a worker."""
    output = tasks[0].output
    if not (output / JOURNAL).is_file():
        raise OutputError(
            f"the worker on {platform.node()} does not see {output}: "
            "workers need the output folder, and the sources, under the same path"
        )
    return list(map(_ready(opener), tasks))


@cache
def _ready(opener: Opener[Task, Outcome]) -> Callable[[Task], Outcome]:
    """Return what does tasks; a worker opens its model once."""
    return opener()

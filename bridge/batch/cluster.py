"""A batch on a Dask distributed cluster: many machines with one file system, or this machine's processes.

Dask runs the code of whoever reaches its ports: keep a cluster inside a network of your own, or have it ask for
certificates.
"""

import asyncio
import platform
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
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
_CONNECT_SECONDS: Final = 4
"""How long a scheduler may take to answer."""
_WORKERS_SECONDS: Final = 5
"""How long a first worker may take to be there."""
_CLOSE_SECONDS: Final = 1
_QUIET_WORKERS: Final = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
}
"""Dask's profiler and monitors take a tenth of a worker's time, and nobody looks at them here."""


@dataclass(frozen=True)
class Certificates:
    """The files of a cluster whose address begins with tls://, as PEM; without any Dask's own configuration holds."""

    ca: Path | None = None
    """Who signs the cluster's certificates."""
    cert: Path | None = None
    """This client's certificate."""
    key: Path | None = None
    """Its key."""

    def options(self) -> dict[str, Any]:
        """Return them by Dask's names."""
        files = {"tls_ca_file": self.ca, "tls_client_cert": self.cert, "tls_client_key": self.key}
        given = {name: str(path) for name, path in files.items() if path}
        return given and {**given, "require_encryption": True}


def cluster_pool(
    address: str, jobs: int, certificates: Certificates = Certificates()
) -> Callable[[Opener[FileTask, FileResult], Iterable[FileTask]], Generator[FileResult]]:
    """Return a pool on the cluster whose scheduler is at `address`, or of `jobs` processes if `LOCAL`.

    Other workers repeat the files of one that is lost: a stroke is the same wherever it is made, and files appear
    whole. `MissingExtraError` without Dask, `InputError` for an address where no scheduler answers, or one without
    workers, `GhostnoteError` when the scheduler or all workers are lost on the way.
    """
    return lambda opener, tasks: _ordered_results(opener, tasks, address, jobs, certificates)


def _ordered_results(
    opener: Opener[FileTask, FileResult], tasks: Iterable[FileTask], address: str, jobs: int, certificates: Certificates
) -> Generator[FileResult]:
    """Yield the results in the order of the tasks, with a bounded number of tasks under way."""
    dask = _dask()
    with ExitStack() as stack:
        client = _client(stack, dask, address, jobs, certificates)
        pending: deque[Any] = deque()
        most, look_at = _LEAST_AHEAD, 0.0
        waiting = iter(tasks)
        try:
            while together := tuple(map(_with_absolute_paths, islice(waiting, _TOGETHER))):
                pending.append(client.submit(_work_on, opener, together, pure=False))
                if time.monotonic() >= look_at:
                    most = max(_LEAST_AHEAD, _AHEAD * _threads(client))
                    look_at = time.monotonic() + _LOOK_SECONDS
                while len(pending) >= most:
                    yield from _result(client, pending.popleft())
            while pending:
                yield from _result(client, pending.popleft())
        except (CancelledError, dask.comm.CommClosedError) as error:
            pending.clear()
            raise GhostnoteError(
                f"--cluster {address}: the scheduler is gone; start it again, and go on with --resume"
            ) from error
        except dask.KilledWorker as error:
            raise GhostnoteError(
                "one file ended several workers in a row, perhaps because memory ran out; "
                "start workers with more memory, and go on with --resume"
            ) from error
        finally:
            if pending:
                client.cancel(list(pending))


@contextmanager
def cluster_client(address: str, jobs: int, certificates: Certificates = Certificates()) -> Iterator[Any]:
    """Yield a Dask client of the cluster at `address`, or of `jobs` processes if `LOCAL`; errors as `cluster_pool`."""
    with ExitStack() as stack:
        yield _client(stack, _dask(), address, jobs, certificates)


def _dask() -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        raise MissingExtraError("--cluster", "cluster") from error


def _client(stack: ExitStack, dask: Any, address: str, jobs: int, certificates: Certificates) -> Any:
    """Return a connected client of a cluster with workers."""
    if address == LOCAL:
        stack.enter_context(import_module("dask.config").set(_QUIET_WORKERS))
        options = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
        address = stack.enter_context(dask.LocalCluster(processes=True, **options)).scheduler_address
    security = dask.Security(**certificates.options())
    try:
        # Dask's client waits without end for a port that is open and mute.
        asyncio.run(_answer(dask, address, security))
        client = dask.Client(address, timeout=_CONNECT_SECONDS, security=security)
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        raise InputError(
            f"--cluster {address}: no scheduler answers there ({str(error) or type(error).__name__}); "
            "give an address such as tcp://host:8786, with its certificates if it is tls://host:8786, or 'local'"
        ) from error
    stack.callback(client.close, timeout=_CLOSE_SECONDS)
    try:
        client.wait_for_workers(1, timeout=_WORKERS_SECONDS)
    except TimeoutError as error:
        raise InputError(
            f"--cluster {address}: the scheduler has no workers; start some with  dask worker {address}"
        ) from error
    return client


async def _answer(dask: Any, address: str, security: Any) -> None:
    """Connect once, and leave; `OSError` where nobody answers."""
    options = security.get_connection_args("client")
    comm = await asyncio.wait_for(dask.comm.connect(address, timeout=_CONNECT_SECONDS, **options), _CONNECT_SECONDS)
    await comm.close()


def _result(client: Any, future: Any) -> Any:
    """Return a future's result; `CancelledError` where the scheduler goes, `GhostnoteError` where all workers do."""
    alone_since = None
    while True:
        try:
            return future.result(timeout=_LOOK_SECONDS)
        except TimeoutError:
            if future.done():
                raise
        alone_since = None if _threads(client) else alone_since or time.monotonic()
        if alone_since and time.monotonic() - alone_since > _WORKERS_SECONDS:
            raise GhostnoteError("the cluster has lost all its workers; start some, and go on with --resume")


def _threads(client: Any) -> int:
    """Return how many threads the cluster has; `CancelledError` where no scheduler answers."""
    try:
        return sum(client.sync(client.scheduler.ncores, callback_timeout=_CONNECT_SECONDS).values())
    except (OSError, TimeoutError) as error:
        raise CancelledError from error


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

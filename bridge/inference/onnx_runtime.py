"""ONNX Runtime without its telemetry, no device id and no reports: import it from here and from nowhere else."""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Final, TypeVar

# Read as the library loads; processes started from this one inherit it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

onnxruntime.disable_telemetry_events()

__all__ = ["interruptible", "onnxruntime"]

_LOOK_SECONDS: Final = 0.2
_END_SECONDS: Final = 2.0
"""How long a graph that is to end may take."""
_INTERRUPTED: Final = 130
ResultT = TypeVar("ResultT")


def interruptible(work: Callable[[], ResultT], stop: Callable[[], None] = lambda: None) -> ResultT:
    """Return the result of work on a graph, which may run without end: Ctrl-C and SIGTERM call `stop` and pass.

    Python handles signals in the main thread alone, and not while that is inside the library.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    future: Future[ResultT] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    thread = threading.Thread(target=run, name="graph", daemon=True)
    try:
        # Inside, as it waits for the thread to begin: an interrupt there must not leave it behind.
        thread.start()
        while not future.done():
            wait((future,), _LOOK_SECONDS)
    except BaseException:
        stop()
        wait((future,), _END_SECONDS)
        atexit.register(_leave_before, thread)
        raise
    return future.result()


def _leave_before(thread: threading.Thread) -> None:
    """End the process at once if a thread is still in the library: one that came back later would abort it."""
    if thread.is_alive():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_INTERRUPTED)

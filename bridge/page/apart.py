"""Work that takes long, in a process of its own, so that the page still answers."""

import asyncio
import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.render.workers import interrupts_held, leave_with_parent, main_left_out

Report = Callable[[int, int], None]
"""Takes how much is done, and of how much."""
_NICENESS: Final = 15
_starting = threading.Lock()


async def apart(work: Callable[..., Any], *arguments: Any, tell: Report = lambda done, of: None) -> Any:
    """Return what `work(report, *arguments)` returns in another process, which ends when this is cancelled.

    What it reports goes to `tell`. A `GhostnoteError` of it comes through, and any other error as one.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(False)
    process = context.Process(target=_worked, args=(theirs, work, arguments), name=work.__name__)
    try:
        try:
            await finished(start, process)
        finally:
            theirs.close()
        while True:
            kind, value = await asyncio.to_thread(ours.recv)
            if kind == "error":
                raise value
            if kind == "result":
                return value
            tell(*value)
    except EOFError as error:
        raise GhostnoteError("the process that does it ended: is there too little memory?") from error
    finally:
        if process.pid is not None:
            process.terminate()
            await finished(process.join)
        ours.close()


async def finished(work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what `work` returns on a thread; where this is cancelled meanwhile, that still comes to its end first."""
    task = asyncio.create_task(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    finally:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])


@contextlib.asynccontextmanager
async def work_folder(parent: Path | None = None) -> AsyncIterator[Path]:
    """Yield a new folder, in another one or where temporary files go; it is removed on a thread in the end."""
    folder = Path(tempfile.mkdtemp(prefix="ghostnote-", dir=parent))
    try:
        yield folder
    finally:
        await finished(shutil.rmtree, folder, True)


def start(process: BaseProcess) -> None:
    """Start a process, which Ctrl-C does not reach: this one ends it."""
    with _starting, interrupts_held(), main_left_out():
        process.start()


def give_way() -> None:
    """Let this process run after those that play."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def plain(error: Exception) -> GhostnoteError:
    """Return an error as one that another process can take."""
    if isinstance(error, InputError):
        return InputError(str(error))
    return GhostnoteError(str(error) if isinstance(error, GhostnoteError) else repr(error))


def _worked(line: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=leave_with_parent, daemon=True).start()
    # Files that wait are removed when this is called off, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    give_way()
    try:
        result = work(lambda done, of: line.send(("report", (done, of))), *arguments)
    except Exception as error:  # raised where it was asked for
        line.send(("error", plain(error)))
    else:
        line.send(("result", result))

"""The process that makes new drums for the page, so that the page still answers while it does."""

import asyncio
import multiprocessing
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.render.workers import interrupts_held, leave_with_parent
from ghostnote.bridge.tools.explore import ExploreSettings, FoundDrum

Audio = NDArray[np.float32]
Request = tuple[ExploreSettings, Audio | None, int]
"""Which drums, and the hit that they are near with its rate in Hz, or None."""


class Explorer(Protocol):
    """What makes drums."""

    def explore(self, settings: ExploreSettings, like: Audio | None, rate: int) -> Iterator[FoundDrum]:
        """Yield new drums, near a hit (channels, frames) if given; `InputError`."""


class ExplorerSpec(Protocol):
    """What a process needs to open an explorer."""

    def open(self) -> Explorer:
        """Open it in this process; `GhostnoteError`."""


@dataclass(frozen=True)
class ModelSpec:
    """Opens a model file, or the one in the package."""

    model: Path | None

    def open(self) -> "ModelExplorer":
        """Open the model in this process; `ModelError`."""
        return ModelExplorer(self.model)


class ModelExplorer:
    """Makes drums with the model."""

    def __init__(self, model: Path | None) -> None:
        """Open it."""
        from ghostnote.bridge.inference.model import Generator

        self._generator = Generator.open(model)

    def explore(self, settings: ExploreSettings, like: Audio | None, rate: int) -> Iterator[FoundDrum]:
        """Yield new drums."""
        from ghostnote.bridge.tools.explore import explore

        return explore(settings, like, rate, self._generator)


class Studio:
    """Runs the process from its first use until `close`."""

    def __init__(self, spec: ExplorerSpec) -> None:
        """Make drums with what `spec` opens."""
        self._spec = spec
        self._line: Connection | None = None
        self._process: BaseProcess | None = None
        self._busy = asyncio.Lock()

    async def explore(self, settings: ExploreSettings, like: Audio | None, rate: int) -> AsyncIterator[FoundDrum]:
        """Yield new drums as they come; `GhostnoteError` for what the model cannot, or where the process ends."""
        async with self._busy:
            line = await asyncio.to_thread(self._opened)
            try:
                line.send((settings, like, rate))
                while (found := await asyncio.to_thread(line.recv)) is not None:
                    if isinstance(found, GhostnoteError):
                        raise found
                    yield found
            except (EOFError, OSError) as error:
                self.close()
                raise GhostnoteError("the process that makes drums ended: is there too little memory?") from error

    def close(self) -> None:
        """End the process."""
        if self._line:
            self._line.close()
        if self._process:
            self._process.terminate()
            self._process.join()
        self._line = self._process = None

    def _opened(self) -> Connection:
        if self._line is None:
            context = multiprocessing.get_context("spawn")
            self._line, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(self._spec, theirs), name="studio", daemon=True)
            with interrupts_held():
                self._process.start()
            theirs.close()
        return self._line


def _work(spec: ExplorerSpec, line: Connection) -> None:
    """Make what is asked for until the line breaks."""
    threading.Thread(target=leave_with_parent, daemon=True).start()
    explorer: Explorer | None = None
    while True:
        try:
            settings, like, rate = line.recv()
        except (EOFError, OSError):
            return
        try:
            explorer = explorer or spec.open()
            for found in explorer.explore(settings, like, rate):
                line.send(found)
            line.send(None)
        except GhostnoteError as error:
            line.send(error)
        except Exception as error:  # told where it was asked for
            line.send(GhostnoteError(f"the drum cannot be made: {error!r}"))

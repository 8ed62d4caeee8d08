"""The process that makes new drums and works on hits for the page, so that the page still answers meanwhile."""

import asyncio
import multiprocessing
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.inference.stroke_source import StrokeSource
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.page.apart import finished, give_way, plain, start
from ghostnote.bridge.page.tool_runs import Made, Task
from ghostnote.bridge.page.tool_table import TOOLS
from ghostnote.bridge.render.workers import leave_with_parent
from ghostnote.bridge.tools.explore import ExploreSettings, FoundDrum, explore
from ghostnote.bridge.tools.word_drums import drums_for_words
from ghostnote.bridge.tools.words import SeedSearch, Wish

if TYPE_CHECKING:
    from ghostnote.bridge.inference.model import Generator

Audio = NDArray[np.float32]


class Maker(Protocol):
    """What makes drums, and works on hits."""

    def explore(self, settings: ExploreSettings, like: Audio | None, rate: int) -> Iterator[FoundDrum]:
        """Yield new drums, near a hit (channels, frames) at `rate` Hz if given; `InputError`."""

    def find(self, wish: Wish, search: SeedSearch, count: int) -> Iterator[FoundDrum]:
        """Yield so many new drums, those first that words fit best; `InputError`."""

    def drum(self, pad: Pad) -> Iterator[Made]:
        """Yield the drum that the model generates for a pad; `GhostnoteError`."""

    def work(self, tool: str, task: Task) -> Iterator[Made]:
        """Yield what a tool of `TOOLS` makes; `GhostnoteError`."""


class MakerSpec(Protocol):
    """What a process needs to open a maker."""

    def open(self) -> Maker:
        """Open it in this process; `GhostnoteError`."""


@dataclass(frozen=True)
class ModelSpec:
    """Opens a model file, or the one in the package."""

    model: Path | None

    def open(self) -> "ModelMaker":
        """Return a maker that opens the model when it is needed."""
        return ModelMaker(self.model)


class ModelMaker:
    """Makes drums with the model."""

    def __init__(self, model: Path | None) -> None:
        """Name the model's file; None is the one in the package."""
        self._model = model

    @cached_property
    def _generator(self) -> "Generator":
        from ghostnote.bridge.inference.model import Generator

        return Generator.open(self._model)

    def explore(self, settings: ExploreSettings, like: Audio | None, rate: int) -> Iterator[FoundDrum]:
        """Yield new drums."""
        return explore(settings, like, rate, self._generator)

    def find(self, wish: Wish, search: SeedSearch, count: int) -> Iterator[FoundDrum]:
        """Yield new drums that words choose, of the kind that they mean unless the search has one."""
        kind = search.kind or wish.kind_of(self._generator.card, search.drum_class)
        return drums_for_words(self._generator, wish, replace(search, kind=kind), count)

    def drum(self, pad: Pad) -> Iterator[Made]:
        """Yield the drum of a pad at the model's rate, as no slider moves it."""
        rate = self._generator.card.rate
        yield Made(StrokeSource(self._generator, rate).reference(pad.plain).audio, rate)

    def work(self, tool: str, task: Task) -> Iterator[Made]:
        """Yield what a tool makes."""
        yield from TOOLS[tool].run(task, lambda: self._generator)


class Studio:
    """Runs the process from its first use until `close`."""

    def __init__(self, spec: MakerSpec) -> None:
        """Make drums with what `spec` opens."""
        self._spec = spec
        self._line: Connection | None = None
        self._process: BaseProcess | None = None
        self._busy = asyncio.Lock()

    async def explore(self, settings: ExploreSettings, like: Audio | None, rate: int) -> AsyncIterator[FoundDrum]:
        """Yield new drums as they come; `GhostnoteError` for what the model cannot, or where the process ends."""
        async for found in self._asked("explore", settings, like, rate):
            yield found

    async def find(self, wish: Wish, search: SeedSearch, count: int) -> AsyncIterator[FoundDrum]:
        """Yield drums that words choose as they come; `GhostnoteError` as of `explore`."""
        async for found in self._asked("find", wish, search, count):
            yield found

    async def drum(self, pad: Pad) -> Made:
        """Return the drum that the model generates for a pad; `GhostnoteError`."""
        (made,) = [made async for made in self._asked("drum", pad)]
        return cast(Made, made)

    async def work(self, tool: str, task: Task) -> tuple[Made, ...]:
        """Return what a tool makes; `GhostnoteError`."""
        return tuple([made async for made in self._asked("work", tool, task)])

    async def _asked(self, *request: Any) -> AsyncIterator[Any]:
        """Yield the answers to a request."""
        async with self._busy:
            line = await finished(self._opened)
            is_whole = False
            try:
                # Sounds are longer than what the line takes at once, and the process may still be opening.
                await asyncio.to_thread(line.send, request)
                while (found := await asyncio.to_thread(line.recv)) is not None:
                    if isinstance(found, GhostnoteError):
                        is_whole = True
                        raise found
                    yield found
                is_whole = True
            except (EOFError, OSError) as error:
                raise GhostnoteError("the process that makes drums ended: is there too little memory?") from error
            finally:
                # What is still to come would be taken for the answer to another request.
                if not is_whole:
                    self.close()

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.terminate()
            self._process.join()
        if self._line:
            self._line.close()
        self._line = self._process = None

    def _opened(self) -> Connection:
        if self._line is None:
            context = multiprocessing.get_context("spawn")
            line, theirs = context.Pipe()
            process = context.Process(target=_work, args=(self._spec, theirs), name="studio", daemon=True)
            start(process)
            theirs.close()
            self._line, self._process = line, process
        return self._line


def _work(spec: MakerSpec, line: Connection) -> None:
    """Make what is asked for until the line breaks."""
    threading.Thread(target=leave_with_parent, daemon=True).start()
    give_way()
    maker: Maker | None = None
    while True:
        try:
            what, *request = line.recv()
        except (EOFError, OSError):
            return
        try:
            maker = maker or spec.open()
            for found in getattr(maker, what)(*request):
                line.send(found)
            line.send(None)
        except Exception as error:  # raised where it was asked for
            line.send(plain(error))

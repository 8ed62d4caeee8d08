"""Keeps the pool full: worker processes make strokes and hand them over through shared memory."""

import contextlib
import multiprocessing
import os
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from typing import Final

from ghostnote.bridge.devices.base import LOCK_PRIORITY, prefer_thread
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.audio_file import MAX_HIT_SECONDS
from ghostnote.bridge.live.pool import BUDGET_BYTES, Order, Pool, sides
from ghostnote.bridge.live.pool_worker import BROKEN, PLACES, READY, Made, places, work
from ghostnote.bridge.render.workers import Spec, interrupts_held, main_left_out

MAX_PROCESSES: Final = 4

_IDLE_SECONDS: Final = 0.02
_ALONE_SECONDS: Final = 0.5
"""How long the first worker makes hits alone at most, as when it invents the drums of a new kit."""
_STUCK_SECONDS: Final = 30.0
_BACKOFF_SECONDS: Final = (0.0, 0.5, 2.0, 5.0)
_COUNT_SECONDS: Final = 0.5
_END_SECONDS: Final = 5.0
_MOST_DEATHS: Final = 4


def auto_processes() -> int:
    """Return how many processes fill the pool on this machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return max(1, min(MAX_PROCESSES, len(affinity(0)) if affinity else os.cpu_count() or 1))


@dataclass
class _Worker:
    """A process, its end of the line, and its part of the shared memory: one place for each order."""

    number: int
    memory: SharedMemory
    process: BaseProcess | None = None
    line: Connection | None = None
    orders: dict[int, Order] = field(default_factory=dict)
    is_started: bool = False
    heard: float = 0.0
    deaths: int = 0
    rests_until: float = 0.0


class Refill:
    """Fills a pool from a thread of its own. A context manager: the processes end with it."""

    def __init__(self, pool: Pool, spec: Spec, rate: int, processes: int | None = None) -> None:
        """Serve `pool` with strokes of the source that `spec` opens, at `rate` frames a second."""
        self.restarts = 0
        """How many workers died and were started again."""
        self.made = 0
        """How many strokes were made."""
        self.making_seconds = 0.0
        """How long the last ones took, averaged."""
        self.failure: GhostnoteError | None = None
        """Why no worker can open the source at all."""
        self.warnings: list[str] = []
        """Pads whose strokes cannot be made, one sentence each."""
        self._pool, self._spec = pool, spec
        self._scarce = False
        self._opened = 0.0
        self._capacity = round(MAX_HIT_SECONDS * rate)
        size = self._capacity * 2 * 4 * PLACES
        self._workers = [
            _Worker(n, SharedMemory(create=True, size=size)) for n in range(processes or auto_processes())
        ]
        self._context = multiprocessing.get_context("spawn")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="refill", daemon=True)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The workers that live."""
        return tuple(w.process.pid for w in self._workers if w.process and w.process.pid and w.line)

    def __enter__(self) -> "Refill":
        """Start a worker and the thread, which starts the others."""
        self._start(self._workers[0])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End them, within a second, and free the memory."""
        self._stopping.set()
        self._thread.join(_END_SECONDS)
        for worker in self._workers:
            if worker.process:
                worker.process.terminate()
        for worker in self._workers:
            self._bury(worker)
            worker.memory.close()
            worker.memory.unlink()

    def _serve(self) -> None:
        # The audio thread may wait for the interpreter's lock; a worker that is started anew has no such haste.
        prefer_thread(LOCK_PRIORITY, inherited=False)
        counted = time.monotonic()
        while not self._stopping.is_set() and self.failure is None:
            now = time.monotonic()
            if now - counted > _COUNT_SECONDS:
                self._pool.forget(now - counted)
                # Not at every stroke: to count takes the interpreter's lock for a third of a millisecond.
                self._scarce = self._pool.bytes_held > BUDGET_BYTES
                counted = now
            self._order()
            lines = {w.line: w for w in self._workers if w.line}
            for line in wait(list(lines), _IDLE_SECONDS) if lines else ():
                self._listen(lines[line])  # type: ignore[index]
            self._revive(now)
            self._add(now)

    def _order(self) -> None:
        """Give every worker enough to do."""
        for worker in self._workers:
            while worker.line and worker.heard and len(worker.orders) < PLACES:
                order = self._pool.next_order(worker.number, self._scarce)
                if order is None:
                    return
                place = next(i for i in range(PLACES) if i not in worker.orders)
                worker.orders[place] = order
                with contextlib.suppress(OSError):
                    # A line that broke shows itself when it is listened to.
                    worker.line.send((place, order.pad, order.index, order.velocity))

    def _listen(self, worker: _Worker) -> None:
        if worker.line is None:
            return
        try:
            what, place, value = worker.line.recv()
        except (EOFError, OSError):
            self._mourn(worker)
            return
        worker.heard = time.monotonic()
        if what == BROKEN:
            self.failure = value
        elif what == READY:
            self._opened = self._opened or worker.heard
        else:
            self._receive(worker, worker.orders.pop(place), place, value)

    def _receive(self, worker: _Worker, order: Order, place: int, value: Made | str) -> None:
        order.shelf.close(order)
        worker.deaths = 0
        if isinstance(value, str):
            if order.generation == order.shelf.generation and not order.shelf.failed:
                order.shelf.failed = value
                self.warnings.append(f"pad '{order.pad.name}' cannot be played: {value}")
            return
        channels, frames, seconds = value
        # A copy: the place is free for the next stroke, and no voice depends on a process.
        audio = places(worker.memory, self._capacity)[place][:channels, :frames].copy()
        order.shelf.put(order, sides(audio))
        self.made += 1
        self.making_seconds += (seconds - self.making_seconds) * 0.05 if self.making_seconds else seconds

    def _add(self, now: float) -> None:
        """Start the other workers once the first is open and has made a hit for every pad, or cannot soon.

        To open the model is the most of a start: all at once, on processors that share a core, none is ready soon.
        """
        if self._opened and (self._pool.ready or now - self._opened > _ALONE_SECONDS):
            for worker in self._workers:
                if not worker.is_started:
                    self._start(worker)

    def _revive(self, now: float) -> None:
        for worker in self._workers:
            if worker.line and worker.orders and now - worker.heard > _STUCK_SECONDS and worker.process:
                worker.process.kill()
            elif worker.is_started and worker.line is None and now >= worker.rests_until:
                self.restarts += 1
                self._start(worker)

    def _start(self, worker: _Worker) -> None:
        worker.is_started = True
        ours, theirs = self._context.Pipe()
        arguments = (self._spec, theirs, worker.memory.name, self._capacity)
        worker.process = self._context.Process(target=work, args=arguments, name="strokes", daemon=True)
        worker.heard = 0.0
        is_of_main = type(self._spec).__module__ == "__main__"
        with interrupts_held(), contextlib.nullcontext() if is_of_main else main_left_out():
            worker.process.start()
        theirs.close()
        worker.line = ours

    def _mourn(self, worker: _Worker) -> None:
        """Take back what a dead worker was to make; it is ordered anew."""
        for order in worker.orders.values():
            order.shelf.close(order)
        worker.orders.clear()
        for shelf in self._pool.shelves:
            shelf.known_by.discard(worker.number)
        self._bury(worker)
        worker.rests_until = time.monotonic() + _BACKOFF_SECONDS[min(worker.deaths, 3)]
        worker.deaths += 1
        if worker.deaths > _MOST_DEATHS and not self.made:
            self.failure = GhostnoteError(
                "the processes that make strokes end at once: is there too little memory?"
            )

    def _bury(self, worker: _Worker) -> None:
        if worker.line:
            worker.line.close()
            worker.line = None
        if worker.process:
            worker.process.join(0.3)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join(0.5)
            with contextlib.suppress(ValueError):
                # On a machine that is busy enough even a killed process takes its time.
                worker.process.close()
            worker.process = None

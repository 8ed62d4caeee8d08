"""Keeps the pool full: worker processes make strokes and hand them over through shared memory."""

import contextlib
import logging
import multiprocessing
import threading
import time
from multiprocessing.connection import wait
from multiprocessing.shared_memory import SharedMemory
from typing import Final

from ghostnote.bridge.devices.base import LOCK_PRIORITY, prefer_thread
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.audio_file import MAX_HIT_SECONDS
from ghostnote.bridge.live.failing_pads import FailingPads
from ghostnote.bridge.live.hit import sides
from ghostnote.bridge.live.pool import Pool, StrokeRequest
from ghostnote.bridge.live.pool_process import PoolProcess
from ghostnote.bridge.live.pool_worker import BROKEN, PLACES, READY, StrokeShape, auto_processes, free, places, work
from ghostnote.bridge.live.stock import BUDGET_BYTES
from ghostnote.bridge.live.supervised import supervised
from ghostnote.bridge.render.workers import Spec, interrupts_held, main_left_out

_IDLE_SECONDS: Final = 0.02
_ALONE_SECONDS: Final = 0.5
"""How long the first worker makes hits alone at most, as when it generates the drums of a new kit."""
_SILENT_SECONDS: Final = 10.0
"""A worker that owes an answer for so long is named in the status, later while it starts; for longer it is replaced."""
_STUCK_SECONDS: Final = 30.0
_OPEN_SECONDS: Final = 90.0  # beside that
_BACKOFF_SECONDS: Final = (0.0, 0.5, 2.0, 5.0)
_COUNT_SECONDS: Final = 0.5
_END_SECONDS: Final = 5.0
_MOST_DEATHS: Final = 4

_logger = logging.getLogger(__name__)


class PoolFiller:
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
        self.failing = FailingPads(pool)
        """Pads whose strokes cannot be made."""
        self._pool, self._spec = pool, spec
        self._held = 0.0
        self._error = ""
        self._opened = 0.0
        self._counted = time.monotonic()
        self._capacity = round(MAX_HIT_SECONDS * rate)
        self._processes = processes or auto_processes()
        self._workers: list[PoolProcess] = []
        self._context = multiprocessing.get_context("spawn")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="filler", daemon=True)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The workers that live."""
        return tuple(w.process.pid for w in self._workers if w.process and w.process.pid and w.line)

    @property
    def trouble(self) -> str:
        """What is wrong now with the thread, or with a worker."""
        now = time.monotonic()
        # To start and to open the model takes its time.
        limits = ((w, _SILENT_SECONDS if w.last_reply else _STUCK_SECONDS) for w in self._workers)
        mute = (f"worker {w.number} does not answer" for w, longest in limits if w.silent_seconds(now) > longest)
        return self._error or next((w.trouble for w in self._workers if w.trouble), "") or next(mute, "")

    def __enter__(self) -> "PoolFiller":
        """Start a worker and the thread, which starts the others."""
        size = self._capacity * 2 * 4 * PLACES
        try:
            while len(self._workers) < self._processes:
                self._workers.append(PoolProcess(len(self._workers), SharedMemory(create=True, size=size)))
            self._start(self._workers[0])
            self._thread.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End them, within a second, and free the memory."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)
        for worker in self._workers:
            if worker.process:
                worker.process.terminate()
        for worker in self._workers:
            worker.close()
            free(worker.memory)

    def _serve(self) -> None:
        # The audio thread may wait for the interpreter's lock; a worker that is started anew has no such haste.
        prefer_thread(LOCK_PRIORITY, inherited=False)
        supervised(self._turn, self._stopping, self._note_error)

    def _note_error(self, what: str) -> None:
        self._error = what

    def _turn(self) -> None:
        now = time.monotonic()
        if now - self._counted > _COUNT_SECONDS:
            self._pool.forget(now - self._counted)
            # Not at every stroke: to count takes the interpreter's lock for a third of a millisecond.
            self._held = self._pool.bytes_held / BUDGET_BYTES
            self._counted = now
            self.failing.try_again(now)
        self._send_requests()
        lines = {w.line: w for w in self._workers if w.line}
        for line in wait(list(lines), _IDLE_SECONDS) if lines else ():
            self._read_reply(lines[line])  # type: ignore[index]
        self._stopping.wait(0 if lines else _IDLE_SECONDS)
        self._restart_dead(now)
        self._start_others(now)
        if self.failure:
            self._stopping.set()

    def _send_requests(self) -> None:
        for worker in self._workers:
            while worker.line and worker.last_reply and len(worker.requests) < PLACES:
                request = self._pool.next_request(worker.number, self._held)
                if request is None:
                    return
                place = next(i for i in range(PLACES) if i not in worker.requests)
                if not worker.requests:
                    worker.last_reply = time.monotonic()
                worker.requests[place] = request
                with contextlib.suppress(OSError):
                    # A broken line shows itself when it is read.
                    worker.line.send((place, request.pad, request.index, request.velocity))

    def _read_reply(self, worker: PoolProcess) -> None:
        if worker.line is None:
            return
        try:
            what, place, value = worker.line.recv()
        except (EOFError, OSError):
            self._take_back(worker)
            return
        worker.last_reply = time.monotonic()
        if what == BROKEN:
            worker.trouble, worker.last_reply = str(value), 0.0
            # A model that was open once is being replaced: the other workers play on, and this one comes again.
            self.failure = None if self._opened else value
            _logger.error("worker %d cannot open the model: %s", worker.number, value)
        elif what == READY:
            self._opened = self._opened or worker.last_reply
            worker.trouble = ""
        else:
            self._receive(worker, worker.requests.pop(place), place, value)

    def _receive(self, worker: PoolProcess, request: StrokeRequest, place: int, value: StrokeShape | str) -> None:
        request.queue.finish(request)
        worker.deaths = request.queue.deaths = 0
        if isinstance(value, str):
            self.failing.add(request, value)
            return
        self.failing.discard(request)
        channels, frames, seconds = value
        # A copy: the place is free for the next stroke, and no voice depends on a process.
        audio = places(worker.memory, self._capacity)[place][:channels, :frames].copy()
        request.queue.put(request, sides(audio))
        self.made += 1
        self.making_seconds += (seconds - self.making_seconds) * 0.05 if self.making_seconds else seconds

    def _start_others(self, now: float) -> None:
        """Start the other workers once the first is open and has made a hit for every pad, or cannot soon.

        To open the model is the most of a start: all at once, on processors that share a core, none is ready soon.
        """
        if self._opened and (self._pool.ready or now - self._opened > _ALONE_SECONDS):
            for worker in self._workers:
                if not worker.is_started:
                    self._start(worker)

    def _restart_dead(self, now: float) -> None:
        for worker in self._workers:
            longest = _STUCK_SECONDS if worker.last_reply else _OPEN_SECONDS
            if worker.silent_seconds(now) > longest and worker.process:
                worker.process.kill()
            elif worker.is_started and worker.line is None and now >= worker.restart_at:
                self._start(worker)
                self.restarts += 1

    def _start(self, worker: PoolProcess) -> None:
        worker.is_started = True
        worker.restart_at = time.monotonic() + _BACKOFF_SECONDS[1]
        if worker.deaths:  # its memory may have been removed from outside
            before, worker.memory = worker.memory, SharedMemory(create=True, size=worker.memory.size)
            free(before)
        ours, theirs = self._context.Pipe()
        arguments = (self._spec, theirs, worker.memory.name, self._capacity)
        process = self._context.Process(target=work, args=arguments, name="strokes", daemon=True)
        worker.last_reply, worker.started = 0.0, time.monotonic()
        is_of_main = type(self._spec).__module__ == "__main__"
        with interrupts_held(), contextlib.nullcontext() if is_of_main else main_left_out():
            process.start()
        theirs.close()
        worker.process, worker.line = process, ours
        _logger.info("worker %d started: process %s", worker.number, process.pid)

    def _take_back(self, worker: PoolProcess) -> None:
        """Take back what a dead worker was to make; it is requested again, if its pad is not what ends workers."""
        for request in list(worker.requests.values())[:1]:
            self.failing.count_death(request)
        for request in worker.requests.values():
            request.queue.finish(request)
        worker.requests.clear()
        for queue in self._pool.queues:
            queue.opened_by.discard(worker.number)
        worker.trouble = worker.trouble or f"worker {worker.number} ended: it is started again"
        worker.close()
        worker.restart_at = time.monotonic() + _BACKOFF_SECONDS[min(worker.deaths, 3)]
        worker.deaths += 1
        if worker.deaths > _MOST_DEATHS and not self.made:
            self.failure = GhostnoteError("the processes that make strokes end at once: is there too little memory?")

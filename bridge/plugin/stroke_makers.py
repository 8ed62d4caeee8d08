"""Threads that make strokes side by side: those that a host waits for first, then those that it may want next."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import Final

import numpy as np

from ghostnote.bridge.inference.variation import StrokeKey
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.hit import Audio
from ghostnote.bridge.live.supervised import supervised
from ghostnote.bridge.render.workers import Source, Spec

_LOOK_SECONDS: Final = 0.5
_END_SECONDS: Final = 5.0
_WAITED_FOR, _FORESEEN = range(2)

_logger = logging.getLogger(__name__)


class Stroke(Future[Audio | None]):
    """A stroke to be: None where it cannot be made."""

    job: "_Job"


@dataclass(eq=False)
class _Job:
    """Strokes of one pad, made together."""

    pad: Pad
    keys: Sequence[StrokeKey]
    strokes: list[Stroke]
    is_taken: bool = False


class StrokeMakers:
    """The threads, each with a source of its own. A context manager."""

    def __init__(self, spec: Spec, threads: int, note_error: Callable[[str], None]) -> None:
        """Make strokes of the source that `spec` opens; `note_error` gets what goes wrong."""
        self._spec, self._note_error = spec, note_error
        self._stopping = threading.Event()
        self._jobs: queue.PriorityQueue[tuple[int, int, _Job]] = queue.PriorityQueue()
        self._order, self._lock = count(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, name=f"bounce-{n}", daemon=True) for n in range(threads)]

    def __enter__(self) -> "StrokeMakers":
        """Start the threads."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End them after the strokes that are being made."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_END_SECONDS)

    def make(self, pad: Pad, keys: Sequence[StrokeKey], is_foreseen: bool = False) -> list[Stroke]:
        """Return strokes of a pad, which are made together; those that are only foreseen come last."""
        job = _Job(pad, keys, [Stroke() for _ in keys])
        for stroke in job.strokes:
            stroke.job = job
        self._jobs.put((_FORESEEN if is_foreseen else _WAITED_FOR, next(self._order), job))
        return job.strokes

    def hurry(self, stroke: Stroke) -> None:
        """Have a stroke that was foreseen made at once, if nobody makes it yet."""
        if not stroke.job.is_taken:
            self._jobs.put((_WAITED_FOR, next(self._order), stroke.job))

    def _run(self) -> None:
        sources: list[Source] = []

        def turn() -> None:
            try:
                *_, job = self._jobs.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                return
            with self._lock:
                is_ours, job.is_taken = not job.is_taken, True
            if is_ours:
                made = zip(job.strokes, self._made(job, sources), strict=True)
                # Those that go on waiting for being asked for must not hold the others, and whom these were for.
                job.strokes = []
                for stroke, audio in made:
                    stroke.set_result(audio)

        supervised(turn, self._stopping, self._note_error)

    def _made(self, job: _Job, sources: list[Source]) -> Sequence[Audio | None]:
        """Return a job's strokes, or nothing for each; `sources` keeps the source that is opened for the first."""
        try:
            if not sources:
                sources.append(self._spec.open())
            made = list(sources[0].strokes(job.pad, job.keys))
            if not all(np.isfinite(audio).all() for audio in made):
                raise ValueError("the model makes values that are not numbers")
        except Exception as error:  # whatever it is, the host must not wait; the pool's fallbacks play instead
            trouble = f"pad '{job.pad.name}' cannot be bounced: {error}"
            self._note_error(trouble)
            _logger.warning(trouble)
            return [None] * len(job.keys)
        return made

"""What a process that makes strokes for the pool does, and how it hands them over."""

import contextlib
import os
import signal
import threading
import time
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import Final

import numpy as np

from ghostnote.bridge.errors import GhostnoteError, ModelError
from ghostnote.bridge.live.malloc import give_back
from ghostnote.bridge.render.workers import Audio, Source, Spec, leave_with_parent

MAX_PROCESSES: Final = 4
PLACES: Final = 2
"""Requests at a worker at once: one that it makes, and the next."""
READY, MADE, FAILED, BROKEN = range(4)
"""What a worker says: it is open; a stroke lies in its place; a stroke cannot be made; nothing can."""

StrokeShape = tuple[int, int, float]
"""A stroke's channels, 1 where both sides are the same, its frames, and the seconds that it took."""

_NICENESS: Final = 10
"""Once they are open, workers give way to the audio thread where the system grants it no real time."""
_OPENED: Final = -1


def places(memory: SharedMemory, capacity_frames: int) -> list[Audio]:
    """Return a worker's shared memory as its places, (2, capacity_frames) each."""
    size = capacity_frames * 2 * 4
    return [np.ndarray((2, capacity_frames), np.float32, memory.buf, offset=place * size) for place in range(PLACES)]


def auto_processes() -> int:
    """Return how many processes fill the pool on this machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return max(1, min(MAX_PROCESSES, len(affinity(0)) if affinity else os.cpu_count() or 1))


def free(memory: SharedMemory) -> None:
    """Let shared memory go, which may have been removed from outside."""
    memory.close()
    try:
        memory.unlink()
    except FileNotFoundError:
        resource_tracker.unregister(f"/{memory.name}", "shared_memory")


def work(spec: Spec, line: Connection, memory_name: str, capacity_frames: int) -> None:
    """Make what is requested until the line breaks."""
    _drop_priority()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=leave_with_parent, daemon=True).start()
    memory = SharedMemory(memory_name)
    try:
        source = spec.open()
    except GhostnoteError as error:
        line.send((BROKEN, _OPENED, error))
        return
    except Exception as error:
        line.send((BROKEN, _OPENED, ModelError(f"the model cannot be opened: {error!r}")))
        return
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # Opening the model took more for a moment: 13 MB.
    give_back()
    line.send((READY, _OPENED, None))
    with contextlib.suppress(EOFError, OSError):
        _serve(source, line, places(memory, capacity_frames))


def _serve(source: Source, line: Connection, buffers: list[Audio]) -> None:
    """Put each requested stroke into its place; what a broken line raises comes through."""
    while True:
        place, pad, index, velocity = line.recv()
        began = time.monotonic()
        try:
            audio = source.stroke(pad, index, velocity)[:, : buffers[place].shape[1]]
            # In the mix, one value that is not a number would silence all pads for good.
            if not np.isfinite(audio).all():
                raise ModelError("the model makes values that are not numbers")
        except Exception as error:  # whatever it is, it concerns this pad alone and is reported
            line.send((FAILED, place, str(error) or repr(error)))
            continue
        if np.array_equal(audio[0], audio[1]):
            audio = audio[:1]
        channels, frames = audio.shape
        buffers[place][:channels, :frames] = audio
        line.send((MADE, place, (channels, frames, time.monotonic() - began)))


def _drop_priority() -> None:
    """Give up the preference over other programs that was inherited."""
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))

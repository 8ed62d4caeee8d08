"""What every audio driver is: something that asks for blocks at a device's pace."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.devices.xrun_monitor import XrunMonitor
from ghostnote.bridge.errors import GhostnoteError

AUDIO_PRIORITY: Final = 60
"""The audio thread's, where the system grants real time; JACK gives its own."""

STOP_SECONDS: Final = 0.5
"""A device that is not closed within that time is dead, and left behind."""

LOCK_PRIORITY: Final = 10
"""That of the threads which may hold the interpreter's lock when the audio thread wants it."""

Audio = NDArray[np.float32]
MidiPackets = tuple[tuple[int, bytes], ...]
"""What came in by a driver's own MIDI port, each packet with its frame offset in the block."""


class Render(Protocol):
    """Makes the next block."""

    def __call__(self, frames: int, began: float, midi: MidiPackets = ()) -> Audio:
        """Return (channels, frames) for the block that begins at `began`, in `perf_counter` seconds.

        What `midi` holds sounds in this very block.
        """


class AudioError(GhostnoteError):
    """A sound device is missing, or cannot do what is asked of it."""


@dataclass(frozen=True)
class DriverSettings:
    """What a user asks of a driver."""

    rate: int = 48_000
    block_frames: int = 256
    device: str | None = None
    """A part of the device's name; None is the system's default."""
    file: Path | None = None
    """Where the file driver writes."""
    midi: bool = False
    """Whether a driver that can opens a MIDI port of its own."""
    outputs: tuple[str, ...] = ()
    """The names of the stereo pairs that come behind the mix."""

    @property
    def channels(self) -> int:
        """How many channels blocks have: the mix's, and those of the pairs."""
        return 2 + 2 * len(self.outputs)


class Driver(Protocol):
    """A device that plays. `start` and `stop` belong to one thread; the rest may be read from any."""

    rate: int
    """Frames a second: the device's own, which may not be what was asked for."""
    block_frames: int
    latency_seconds: float
    """From the end of a block's rendering to its place at the output, as far as it is known."""
    xruns: XrunMonitor
    """Counts the blocks of ours that came too late."""
    gaps: int
    """How often the sound server reports that it was late, whoever was to blame; 0 where none does."""
    last_block: float
    """When the last block was asked for, in `perf_counter` seconds."""
    lost: str
    """Why the device is gone, or nothing."""
    trouble: str
    """What is wrong with it although it plays, or nothing."""
    notices: deque[str]
    """What the user should know; whoever reads it takes it out."""
    device: str
    """The device's name."""
    midi_port: str
    """The MIDI port that it brings along, or nothing."""
    stop_seconds: float
    """How long `stop` may take; then whatever hangs in it is left behind."""
    recovery_driver: str
    """The driver that opens the device again once it is lost; nothing where that is this one."""

    def start(self, render: Render) -> None:
        """Begin to play; `AudioError` when the device cannot."""

    def stop(self) -> None:
        """End and let the device go, within `stop_seconds`."""


def prefer_thread(priority: int = AUDIO_PRIORITY, inherited: bool = True) -> bool:
    """Ask the system to run this thread, and what it starts if that is `inherited`, before all ordinary ones.

    False where it refuses.
    """
    if not hasattr(os, "sched_setscheduler"):
        return False
    policy = os.SCHED_FIFO if inherited else os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except OSError:
        return False
    return True


@contextmanager
def preferred_process() -> Iterator[bool]:
    """Let this thread, and those that it starts, run before other programs' for the length of the block.

    The audio thread needs the interpreter's lock: whoever holds it must not have to wait for other programs.
    """
    if not hasattr(os, "sched_setscheduler"):
        yield False
        return
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    is_preferred = prefer_thread(LOCK_PRIORITY)
    try:
        yield is_preferred
    finally:
        if is_preferred:
            os.sched_setscheduler(0, policy, parameter)

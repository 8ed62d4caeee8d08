"""Drivers that are written to, block by block, from a thread that keeps the time."""

import threading
import time
from collections import deque
from typing import Final

from ghostnote.bridge.devices.base import STOP_SECONDS, Audio, AudioError, DriverSettings, Render, prefer_thread
from ghostnote.bridge.devices.xrun_monitor import XrunMonitor

_STALLED_SECONDS: Final = 0.25
_STOP_SHARE: Final = 0.8
"""Of the time that stopping may take: what waits for `stop` must not take it for hanging itself."""


class BlockingDriver:
    """Renders a block whenever one is due by the computer's clock. Subclasses say where it goes."""

    device = "none"
    recovery_driver = trouble = ""
    midi_port = ""
    stop_seconds = STOP_SECONDS
    is_realtime = True
    """Whether the thread may run before all others: not where writing can spin."""

    def __init__(self, settings: DriverSettings) -> None:
        """Take rate and block as they are asked for."""
        self.rate, self.block_frames = settings.rate, settings.block_frames
        self.latency_seconds = 0.0
        self.xruns = XrunMonitor()
        self.gaps = 0
        self.last_block = time.perf_counter()
        self.lost = ""
        self.notices: deque[str] = deque()
        self._stopping = threading.Event()
        self._opened = threading.Event()
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None

    def start(self, render: Render) -> None:
        """Begin to play; what opening the device raises comes through."""
        self._thread = threading.Thread(target=self._run, args=(render,), name="audio", daemon=True)
        self._thread.start()
        self._opened.wait(10.0)
        if self._error:
            raise self._error
        if not self._opened.is_set():
            raise AudioError(f"'{self.device}' does not open: choose another device")

    def stop(self) -> None:
        """End the thread; one that hangs in a dead device is left behind."""
        self._stopping.set()
        if self._thread:
            self._thread.join(_STOP_SHARE * self.stop_seconds)

    def open(self) -> None:
        """Open the device, on the thread that writes to it."""

    def put(self, block: Audio) -> None:
        """Write a block (channels, frames)."""

    def close(self) -> None:
        """Let the device go."""

    def due(self, before: float) -> float:
        """Return when the block after the one that was due at `before` is due."""
        return before + self.block_frames / self.rate

    def _run(self, render: Render) -> None:
        try:
            self.open()
        except Exception as error:  # handed to `start`, which raises it
            self._error = error
            self._opened.set()
            return
        self._opened.set()
        if self.is_realtime:
            prefer_thread()
        try:
            self._play(render)
        except Exception as error:  # the device went while it was written to: the supervisor sees it
            self.lost = str(error) or repr(error)
        finally:
            self.close()

    def _play(self, render: Render) -> None:
        seconds = self.block_frames / self.rate
        due = time.perf_counter()
        while not self._stopping.is_set():
            time.sleep(max(0.0, due - time.perf_counter()))
            self.last_block = now = time.perf_counter()
            began = now if now - due > _STALLED_SECONDS else due
            self.xruns.enter(due)
            block = render(self.block_frames, began)
            self.xruns.leave(due, seconds)
            self.put(block)
            due = self.due(began)

"""What the live measurements stand on: the daemon in a process of its own, and a JACK client that plays it."""

import contextlib
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.bench.jack_server import RATE
from ghostnote.bridge.devices.base import DriverSettings, preferred_process
from ghostnote.bridge.devices.jack import CLIENT, load
from ghostnote.bridge.devices.xrun_monitor import XrunMonitor
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.kit.outputs import STEREO
from ghostnote.bridge.live.daemon import LiveSettings, opened, tend
from ghostnote.bridge.live.osc.server import OscSettings
from ghostnote.bridge.live.pad_parameters import Value
from ghostnote.bridge.live.status import Live, facts
from ghostnote.bridge.render.workers import Spec, interrupts_held

_START_SECONDS: Final = 180.0
_END_SECONDS: Final = 30.0
_STATUS, _XRUNS = "facts", "xruns"


@dataclass(frozen=True)
class DaemonSetup:
    """What the daemon under test plays; it goes to another process."""

    kit: Kit
    spec: Spec
    driver: str = "jack"
    processes: int | None = None
    midi: tuple[str, ...] = ()
    device: str | None = None
    output: Path | None = None
    record: Path | None = None
    kits: Path | None = None
    outputs: str = STEREO


class Daemon:
    """The daemon in a process of its own. A context manager."""

    def __init__(self, setup: DaemonSetup) -> None:
        """Prepare it."""
        self._setup = setup
        self.ready_seconds = 0.0
        """From the start of the process to a stroke for every pad."""

    def __enter__(self) -> "Daemon":
        """Start it and wait until every pad can play; `GhostnoteError` when that takes too long."""
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._setup, theirs))
        began = time.perf_counter()
        with interrupts_held():
            self._process.start()
        theirs.close()
        try:
            while (status := self.ask())["ready_ms"] == -1.0:
                time.sleep(0.02)
                if time.perf_counter() - began > _START_SECONDS:
                    raise GhostnoteError(
                        f"the daemon is not ready after {_START_SECONDS:g} seconds: {status['notices']}"
                    )
        except BaseException:
            self.__exit__()
            raise
        self.ready_seconds = time.perf_counter() - began
        return self

    def __exit__(self, *_: object) -> None:
        """Let it end."""
        with contextlib.suppress(OSError):
            self._line.send(None)
        self._process.join(_END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def kill(self) -> None:
        """Take it away without a word."""
        self._process.kill()
        self._process.join()

    def ask(self) -> dict[str, Value]:
        """Return its status, with its memory, its processes and its ports; `GhostnoteError` when it is gone."""
        status: dict[str, Value] = self._ask(_STATUS)
        return status

    def xruns(self) -> XrunMonitor:
        """Return how long its blocks took, and which of them were late; errors as in `ask`."""
        xruns: XrunMonitor = self._ask(_XRUNS)
        return xruns

    def _ask(self, what: str) -> Any:
        try:
            self._line.send(what)
            answer = self._line.recv()
        except (EOFError, OSError) as error:
            raise GhostnoteError("the daemon has ended by itself") from error
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(setup: DaemonSetup, line: Connection) -> None:
    audio = DriverSettings(RATE, 256, setup.device, setup.output)
    settings = LiveSettings(
        setup.kit, lambda _: setup.spec, setup.driver, audio, setup.midi, OscSettings(port=0),
        kits=setup.kits, record=setup.record, processes=setup.processes, outputs=setup.outputs,
    )  # fmt: skip
    try:
        with opened(settings) as live:
            while True:
                tend(live)
                if not line.poll(0.02):
                    continue
                asked = line.recv()
                if asked is None:
                    break
                line.send(_status(live) if asked == _STATUS else live.supervisor.driver.xruns)
    except GhostnoteError as error:
        line.send(error)
        line.recv()
    os._exit(0)


def _status(live: Live) -> dict[str, Value]:
    workers = live.filler.process_ids
    return {
        **facts(live),
        "memory_mb": sum(map(memory_mb, (os.getpid(), *workers))),
        "pid": os.getpid(),
        "worker": workers[0] if workers else 0,
        "playing": live.session.engine.setup.kit.name,
        "frames": live.session.engine.frame,
        "notices": "\n".join(live.session.notices),
        "osc_port": live.osc.address[1] if live.osc else 0,
        "midi_port": next((int(m.name[4:]) for m in live.inputs if m.name.startswith("tcp:")), 0),
    }


def memory_mb(pid: int) -> float:
    """Return the memory that a process holds for itself, shared pages shared out; 0 where the system does not say."""
    with contextlib.suppress(OSError, ValueError):
        for text in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if text.startswith("Pss:"):
                return int(text.split()[1]) / 1024
    return 0.0


class JackPlayer:
    """A JACK client that plays notes at exact frames and records the answer. A context manager."""

    def __init__(self) -> None:
        """Become a client of the server."""
        self._client: Any = load().Client("ghostnote-player", no_start_server=True)
        self._midi = self._client.midi_outports.register("midi_out")
        self._audio = self._client.inports.register("in_1")
        self._plan: deque[tuple[int, bytes]] = deque()
        self._frame = 0
        self._blocks: deque[NDArray[np.float32]] = deque()
        self.records = True
        self._stack = contextlib.ExitStack()
        self._client.set_process_callback(self._process)

    def __enter__(self) -> "JackPlayer":
        """Connect to the daemon."""
        self._stack.enter_context(preferred_process())
        self._client.activate()
        (out,) = self._client.get_ports(f"{CLIENT}:out_1", is_output=True)
        (into,) = self._client.get_ports(f"{CLIENT}:midi_in", is_input=True)
        self._client.connect(out, self._audio)
        self._client.connect(self._midi, into)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave."""
        with contextlib.suppress(Exception):
            # The server may be gone.
            self._client.deactivate()
            self._client.close()
        self._stack.close()

    @property
    def frame(self) -> int:
        """How many frames passed since it was made."""
        return self._frame

    def play(self, messages: Iterator[tuple[int, bytes]]) -> None:
        """Plan MIDI messages, each with its frame, in the order of time."""
        self._plan.extend(messages)

    def wait(self) -> None:
        """Wait until all is played."""
        while self._plan:
            time.sleep(0.1)

    def recorded(self) -> NDArray[np.float32]:
        """Return all that came back, (frames,)."""
        return np.concatenate(list(self._blocks)) if self._blocks else np.zeros(0, np.float32)

    def _process(self, frames: int) -> None:
        self._midi.clear_buffer()
        while self._plan and self._plan[0][0] < self._frame + frames:
            frame, message = self._plan.popleft()
            self._midi.write_midi_event(max(0, frame - self._frame), message)
        if self.records:
            self._blocks.append(self._audio.get_array().copy())
        self._frame += frames


def muted(kit: Kit, audible: str) -> Kit:
    """Return the kit with one pad that repeats itself exactly, and all others far below it."""
    pads = (
        replace(pad, amount=0.0, gain_db=0.0, pan=0.0, width=0.0, choke=None)
        if pad.name == audible
        else replace(pad, gain_db=-60.0, choke=None, width=0.0)
        for pad in kit.pads
    )
    return replace(kit, pads=tuple(pads))

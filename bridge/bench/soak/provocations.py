"""What goes wrong during a soak: each trouble is brought about by real means, lasts for a while, and is taken back."""

import contextlib
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ghostnote.bridge.bench.jack_server import JackServer
from ghostnote.bridge.bench.rig import Daemon
from ghostnote.bridge.bench.soak.fuzz import future_notes, wildcards
from ghostnote.bridge.bench.trial_disk import TrialDisk
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.recording import FROZEN_SECONDS
from ghostnote.bridge.live.osc.codec import Argument, OscError, pack, unpack
from ghostnote.bridge.live.osc.subscribers import ROOT

if sys.platform != "win32":
    import resource

_SEGMENT: Final = re.compile(r"/dev/shm/psm_\w+")
_HOST: Final = "127.0.0.1"
_ANSWER_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 20.0
_START_ATTEMPTS: Final = 3
_FEW_HANDLES: Final = 1
"""Those that are open stay so; with none at all no line could be polled."""
_DISK_SECONDS: Final = FROZEN_SECONDS + 20.0
"""A take is saved every half minute at least, and a disk that is slow for five seconds more is called frozen."""
_FLOOD_SECONDS: Final = 4.0
_PAUSE_SECONDS: Final = 0.05


class Provocation(Protocol):
    """One trouble."""

    name: str
    seconds: float
    """How long it lasts."""
    shown: tuple[str, str]
    """The part that is named meanwhile in the status of the one that plays and of the one that records, or nothing."""

    def begin(self) -> None:
        """Bring it about, in no time."""

    def end(self) -> None:
        """Take it back, in no time."""


class KilledWorker:
    """A worker is killed."""

    name, seconds, shown = "a killed worker", 0.0, ("hits", "")

    def __init__(self, daemon: Daemon) -> None:
        """Kill one of the daemon's."""
        self._daemon = daemon

    def begin(self) -> None:
        """Kill it."""
        if worker := int(self._daemon.ask()["worker"]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)

    def end(self) -> None:
        """Nothing: the daemon starts another."""


class RemovedSegments(KilledWorker):
    """The shared memory of all workers is removed, as a cleaner of temporary files does, and one has to start anew."""

    name = "removed segments of shared memory"

    def begin(self) -> None:
        """Remove the segments and kill a worker."""
        mapped = Path(f"/proc/{self._daemon.ask()['pid']}/maps").read_text()
        for segment in set(_SEGMENT.findall(mapped)):
            Path(segment).unlink(missing_ok=True)
        super().begin()


class DeadRefill(KilledWorker):
    """The daemon has no file handles left, and a worker is killed: the refill fails until there are some again."""

    name, seconds = "a refill without file handles", 6.0

    def __init__(self, daemon: Daemon) -> None:
        """Provoke this daemon."""
        super().__init__(daemon)
        self._pid = int(daemon.ask()["pid"])
        self._limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    def begin(self) -> None:
        """Forbid new file handles and kill a worker."""
        self._allow(_FEW_HANDLES)
        super().begin()

    def end(self) -> None:
        """Allow them again."""
        self._allow(self._limits[0])

    def _allow(self, handles: int) -> None:
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, (handles, self._limits[1]))


class DeadServer:
    """The sound server vanishes."""

    name, seconds, shown = "a dead sound server", 4.0, ("device", "")

    def __init__(self, server: JackServer) -> None:
        """Kill this one."""
        self._server = server

    def begin(self) -> None:
        """Kill it."""
        self._server.kill()

    def end(self) -> None:
        """Start it again; on a machine that is busy enough not at the first attempt."""
        for left in reversed(range(_START_ATTEMPTS)):
            try:
                self._server.start()
                break
            except GhostnoteError:
                if not left:
                    raise
                time.sleep(self.seconds)


@dataclass
class DiskTrouble:
    """Something is wrong with disks."""

    name: str
    seconds: float
    shown: tuple[str, str]
    breaking: Sequence[Callable[[], None]]
    mending: Sequence[Callable[[], None]]

    def begin(self) -> None:
        """Break them."""
        for act in self.breaking:
            act()

    def end(self) -> None:
        """Mend them."""
        for act in self.mending:
            act()


def full(disks: Sequence[TrialDisk]) -> DiskTrouble:
    """Return disks that are full; a recording goes on elsewhere at once, so that nothing is wrong with it."""
    return DiskTrouble("full disks", _DISK_SECONDS, ("take", ""), [d.fill for d in disks], [d.empty for d in disks])


def frozen(disks: Sequence[TrialDisk]) -> DiskTrouble:
    """Return disks that freeze for so long that a recording leaves them."""
    shown = ("take's disk", "recording")
    return DiskTrouble("frozen disks", _DISK_SECONDS, shown, [d.freeze for d in disks], [d.thaw for d in disks])


class OscFlood:
    """OSC packets that come all at once; a thread then measures how long OSC is deaf to others."""

    seconds, shown = _FLOOD_SECONDS, ("", "")

    def __init__(
        self,
        name: str,
        port: int,
        packets: Callable[[], list[bytes]],
        question: tuple[str, Argument],
        pause_seconds: float = 0.0,
    ) -> None:
        """Send the packets with a pause after each, and ask the question until it is answered."""
        self.name = name
        self.deaf_seconds = float("inf")
        """How long it took until the question was answered."""
        self._port, self._packets, self._question = port, packets, question
        self._pause_seconds = pause_seconds
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Send."""
        self._thread.start()

    def end(self) -> None:
        """Wait for the answer."""
        self._thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.connect((_HOST, self._port))
            line.settimeout(_ANSWER_SECONDS)
            for packet in self._packets():
                line.send(packet)
                time.sleep(self._pause_seconds)
            began = time.monotonic()
            while time.monotonic() < began + _PATIENCE_SECONDS:
                if self._is_answered(line):
                    self.deaf_seconds = time.monotonic() - began
                    return
                time.sleep(_PAUSE_SECONDS)

    def _is_answered(self, line: socket.socket) -> bool:
        address, value = self._question
        with contextlib.suppress(OSError, OscError):
            line.send(pack(f"{ROOT}/{address}", (value,)))
            while True:
                if any(m.address == f"{ROOT}/{address}" and m.arguments for m in unpack(line.recv(65536))):
                    return True
        return False


def queue_flood(port: int, kit: str) -> OscFlood:
    """Return a flood of notes that are due in three seconds, just slow enough; under it a kit is to be loaded."""
    return OscFlood("a flood of future notes", port, lambda: future_notes(3.0), ("kit/load", kit), _PAUSE_SECONDS / 2)


def wildcard_flood(port: int) -> OscFlood:
    """Return a flood of messages that mean everything, under which a ping is to be answered."""
    return OscFlood("a flood of wildcards", port, wildcards, ("ping", 1))

"""A soak of the live engine: notes for minutes, and all that can go wrong in between."""

import contextlib
import os
import random
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from ghostnote.bridge.bench.jack_server import RATE, JackServer
from ghostnote.bridge.bench.live import PADS, TEMPO_BPM
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.bench.rig import Daemon, DaemonSetup
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.kit.kit import Kit, default_kit
from ghostnote.bridge.live.osc.addresses import ADDRESSES, PAD
from ghostnote.bridge.live.osc.codec import bundle, pack
from ghostnote.bridge.live.osc.subscribers import ROOT
from ghostnote.bridge.live.pad_parameters import Value
from ghostnote.bridge.live.pool import BUDGET_BYTES
from ghostnote.bridge.live.stroke_spec import LiveSpec
from ghostnote.bridge.render.workers import Spec

FUZZ_PACKETS: Final = 100_000
FLAT_MB: Final = 20.0

_BLOCK: Final = 256
_SAMPLE_SECONDS: Final = 2.0
_GONE_SECONDS: Final = 4.0
_AGAIN_SECONDS: Final = 0.2
_ATTEMPTS: Final = 3
_GARBAGE_SHARE: Final = 0.2
_QUARTER: Final = 0.25
"""Of the soak. In the first one the memory warms up; in the last nothing is killed or missing any more."""
_SPARED: Final = ("quit", "kit/load", "kit/save")
"""What would rightly end the music; muting and soloing would too."""


class _Sample(NamedTuple):
    """The memory at one moment."""

    share: float
    """How much of the soak was over."""
    memory_mb: float
    pool_mb: float


@dataclass
class _SoakRun:
    """A soak under way."""

    daemon: Daemon
    server: JackServer
    seconds: float
    began: float = field(default_factory=time.monotonic)
    sent: int = 0
    notes: int = 0
    hung_up: int = 0
    samples: list[_Sample] = field(default_factory=list)

    def share(self) -> float:
        """Return how much of it is over."""
        return (time.monotonic() - self.began) / self.seconds


def soak(model: Path | None = None, seconds: float = 600.0) -> list[Measurement]:
    """Return how the daemon withstood `seconds` of notes, MIDI garbage, OSC fuzz, a killed worker and a dead server.

    `GhostnoteError` when it ended by itself, `MissingExtraError` without JACK-Client.
    """
    return soak_source(LiveSpec(model, RATE), default_kit(), seconds, FUZZ_PACKETS)


def soak_source(spec: Spec, kit: Kit, seconds: float, packets: int) -> list[Measurement]:
    """Return the same measurements for any source of strokes and number of fuzzed packets."""
    setup = DaemonSetup(kit, spec, midi=("tcp:0",))
    with _cache_of_its_own(), JackServer(_BLOCK) as server, Daemon(setup) as daemon:
        run = _SoakRun(daemon, server, seconds)
        status = daemon.ask()
        jobs: list[Callable[[], None]] = [
            lambda: _play(run, int(status["midi_port"])),
            lambda: _fuzz(run, int(status["osc_port"]), packets),
        ]
        threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        _break(run)
        for thread in threads:
            thread.join(10.0)
        before = daemon.ask()
        _play_on(int(status["midi_port"]))
        return _figures(run, before, daemon.ask())


@contextlib.contextmanager
def _cache_of_its_own() -> Iterator[None]:
    """Let the many drums that the fuzz asks for not push the user's own out of the cache."""
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield
        finally:
            del os.environ["XDG_CACHE_HOME"]
            if before is not None:
                os.environ["XDG_CACHE_HOME"] = before


def _play(run: _SoakRun, port: int) -> None:
    """Play sixteenths over TCP, with garbage among the notes."""
    draw = random.Random(1)
    step = 60 / TEMPO_BPM / 4
    due = time.monotonic()
    while run.share() < 1:
        try:
            with socket.create_connection(("127.0.0.1", port), _GONE_SECONDS) as line:
                while run.share() < 1:
                    data = b"".join(bytes((0x99, note, draw.randint(40, 127))) for note in PADS)
                    if draw.random() < _GARBAGE_SHARE:
                        data += draw.randbytes(draw.randint(1, 24)) + b"\xf7"
                    line.sendall(data)
                    run.notes += len(PADS)
                    due += step
                    time.sleep(max(0.0, due - time.monotonic()))
        except OSError:
            # The daemon hung up, or is too busy to answer: the measurements tell, and the music goes on.
            run.hung_up += 1
            time.sleep(_AGAIN_SECONDS)


def _fuzz(run: _SoakRun, port: int, packets: int) -> None:
    """Send random packets: noise, damaged messages, and well-formed ones with wild arguments."""
    draw = random.Random(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        while run.sent < packets and run.share() < 1:
            behind = int(packets * min(1.0, run.share() / 0.95)) - run.sent
            for _ in range(max(0, behind)):
                with contextlib.suppress(OSError):
                    line.sendto(fuzzed(draw), ("127.0.0.1", port))
                run.sent += 1
            time.sleep(0.005)


def fuzzed(draw: random.Random) -> bytes:
    """Return a packet that no program should send."""
    kind = draw.randrange(4)
    if kind == 0:
        return draw.randbytes(draw.randint(1, 200))
    known = draw.choice(ADDRESSES).path.replace(PAD, draw.choice(("kick", "*", "snare", "[!a]*", "{x,y}")))
    if known in _SPARED or known.endswith(("/mute", "/solo")):
        known = "ping"
    values = [draw.choice((0, 1, -1, 0.5, 1e30, float("nan"), True, "kick", "", "x" * 50, 127, 2**31 - 1))
              for _ in range(draw.randint(0, 4))]  # fmt: skip
    message = pack(f"{ROOT}/{known}", tuple(values))
    if kind == 1:
        return message
    if kind == 2:
        return bundle(draw.choice((None, time.time() + draw.uniform(-5, 100), 1e9)), message, message)
    damaged = bytearray(bundle(None, message))
    for _ in range(draw.randint(1, 6)):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged[: draw.randint(1, len(damaged))])


def _break(run: _SoakRun) -> None:
    """Kill a worker and the sound server on the way, and keep an eye on the memory."""
    todo: list[tuple[float, Callable[[], None]]] = [
        (0.3, lambda: _kill_worker(run)),
        (0.5, run.server.kill),
        (0.5 + _GONE_SECONDS / run.seconds, lambda: _plug_in(run.server)),
        (0.7, lambda: _kill_worker(run)),
    ]
    while run.share() < 1:
        while todo and run.share() >= todo[0][0]:
            todo.pop(0)[1]()
        status = run.daemon.ask()
        memory, pool = float(status["memory_mb"]), float(status["pool_mb"])
        run.samples.append(_Sample(run.share(), memory, pool))
        time.sleep(min(_SAMPLE_SECONDS, run.seconds / 50))


def _plug_in(server: JackServer) -> None:
    """Start the server again; on a machine that is busy enough not at the first attempt."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            server.start()
            break
        except GhostnoteError:
            if not left:
                raise
            time.sleep(_GONE_SECONDS)


def _kill_worker(run: _SoakRun) -> None:
    worker = int(run.daemon.ask()["worker"])
    if worker:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


def _play_on(port: int) -> None:
    """Play a few notes after all is over."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        for _ in range(10):
            line.sendall(bytes((0x99, PADS[0], 100)))
            time.sleep(0.1)


def _figures(run: _SoakRun, before: dict[str, Value], after: dict[str, Value]) -> list[Measurement]:
    def total(status: dict[str, Value]) -> float:
        return sum(float(status[f"notes_{kind}"]) for kind in ("fresh", "fallback", "reused", "frozen", "silent"))

    first, last = (
        max((s.memory_mb - s.pool_mb for s in run.samples if since <= s.share < since + _QUARTER), default=0.0)
        for since in (0.0, 1 - _QUARTER)
    )
    return [
        Measurement("soak_s", "seconds of sixteenths with all that can go wrong", run.seconds, "s"),
        Measurement("notes_sent", "notes sent", run.notes),
        Measurement("notes_played", "notes played, OSC's among them", total(before)),
        Measurement("still_playing", "of ten notes after the end", total(after) - total(before)),
        Measurement("hung_up", "MIDI lines that broke", run.hung_up),
        Measurement("midi_garbage", "garbage MIDI bytes counted", float(after.get("midi_garbage", 0))),
        Measurement("osc_sent", "random OSC packets sent", run.sent),
        Measurement("osc_read", "of which were read", float(after.get("osc", 0))),
        Measurement("osc_garbage", "of which were no OSC", float(after.get("osc_garbage", 0))),
        Measurement("osc_errors", "errors replied", float(after.get("osc_errors", 0))),
        Measurement("osc_shed", "packets shed", float(after.get("osc_shed", 0))),
        Measurement("osc_faults", "internal errors over OSC", float(after.get("osc_faults", 0))),
        Measurement("faults", "internal errors in the engine", float(after["faults"])),
        Measurement("worker_restarts", "workers restarted, of two killed", float(after["worker_restarts"])),
        Measurement("device_losses", "devices lost, of one", float(after["device_losses"])),
        Measurement("device_lost", "devices still missing", float(after["device_lost"])),
        Measurement("underruns", "underruns", float(after["underruns"])),
        Measurement("memory_mb", "memory of the daemon and its workers", run.samples[-1].memory_mb, "MB"),
        Measurement("pool_mb", f"of which hits in wait, {BUDGET_BYTES >> 20} and those under way at most",
               run.samples[-1].pool_mb, "MB"),
        Measurement("memory_grown_mb", f"the rest: last quarter's peak over the first's, at most {FLAT_MB:g}",
               last - first, "MB"),
    ]  # fmt: skip

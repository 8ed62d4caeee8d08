"""The soak: one daemon plays through JACK and keeps a take, one records a sound file, and all goes wrong meanwhile."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

from ghostnote.bridge.bench.jack_server import RATE, JackServer
from ghostnote.bridge.bench.live import PADS
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.bench.rig import Daemon, DaemonSetup
from ghostnote.bridge.bench.soak import music
from ghostnote.bridge.bench.soak.figures import End, figures
from ghostnote.bridge.bench.soak.provocations import (
    DeadRefill,
    DeadServer,
    KilledWorker,
    OscFlood,
    Provocation,
    RemovedSegments,
    frozen,
    full,
    queue_flood,
    wildcard_flood,
)
from ghostnote.bridge.bench.soak.watch import RECOVERY_SECONDS, Watch
from ghostnote.bridge.bench.trial_disk import TrialDisk
from ghostnote.bridge.kit.kit import default_kit
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.stroke_spec import LiveSpec

FUZZ_PACKETS: Final = 100_000

_BLOCK: Final = 256
_LOOK_SECONDS: Final = 0.25
_QUIET_SECONDS: Final = 2 * RECOVERY_SECONDS
_MORE_SECONDS: Final = 1.0
_TAKE, _SOUND = "take.mid", "sound.wav"
_OTHER_KIT: Final = "Other"
_NOTHING: Final = ("", "")


class _Disks(NamedTuple):
    """All that can be full or freeze."""

    take: TrialDisk
    sound: TrialDisk
    home: TrialDisk
    """Where a recording goes on first when its own disk fails."""


@dataclass
class _Stage:
    """All that takes part."""

    player: Watch
    recorder: Watch
    server: JackServer
    disks: _Disks
    seconds: float
    osc_port: int
    floods: list[OscFlood] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def share(self) -> float:
        """How much of it is over."""
        return (time.monotonic() - self.began) / self.seconds

    def plan(self) -> list[tuple[float, Provocation]]:
        """Return what goes wrong, and after which share: in the first fifth memory warms up, the last is quiet."""
        daemon = self.player.daemon
        self.floods = [queue_flood(self.osc_port, _OTHER_KIT), wildcard_flood(self.osc_port)]
        return [
            (0.18, full([self.disks.take, self.disks.sound])),
            (0.25, KilledWorker(daemon)),
            (0.30, self.floods[0]),
            (0.37, DeadRefill(daemon)),
            (0.45, frozen([self.disks.take, self.disks.home])),
            (0.52, self.floods[1]),
            (0.58, DeadServer(self.server)),
            (0.70, RemovedSegments(daemon)),
        ]

    @property
    def is_calm(self) -> bool:
        """Whether nothing is wrong."""
        return self.player.is_calm and self.recorder.is_calm

    def look(self) -> None:
        """See how both are."""
        self.player.look()
        self.recorder.look()

    def begin(self, provocation: Provocation) -> None:
        """Let it go wrong."""
        self.player.began(provocation.name, provocation.shown[0])
        # It leaves a disk that is frozen for long.
        self.recorder.began(provocation.name, provocation.shown[1], lasts=False)
        provocation.begin()

    def end(self, provocation: Provocation) -> None:
        """Let it be well again."""
        provocation.end()
        self.player.ended(provocation.name)
        self.recorder.ended(provocation.name)


def soak(model: Path | None = None, seconds: float = 600.0) -> list[Measurement]:
    """Return how the daemon withstood `seconds` of notes, floods, killed parts, a dead server and bad disks.

    `GhostnoteError` when it ended by itself or where no such disk can be made, `MissingExtraError` without JACK-Client.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        disks = _Disks(*(stack.enter_context(TrialDisk(folder / place)) for place in _Disks._fields))
        stack.enter_context(_environment(folder, disks.home))
        server = stack.enter_context(JackServer(_BLOCK))
        end = _play_through(_setups(LiveSpec(model, RATE), folder, disks), server, disks, seconds)
        return figures(end, [*(disk.files for disk in disks), folder / "tmp"])


def _setups(spec: LiveSpec, folder: Path, disks: _Disks) -> tuple[DaemonSetup, DaemonSetup]:
    """Return who plays and who records."""
    kits, kit = folder / "kits", default_kit()
    kits.mkdir()
    save_kit(replace(kit, name=_OTHER_KIT), kits / f"{_OTHER_KIT}.toml")
    player = DaemonSetup(kit, spec, midi=("tcp:0",), record=disks.take.folder / _TAKE, kits=kits)
    recorder = DaemonSetup(kit, spec, "file", processes=1, midi=("tcp:0",), output=disks.sound.folder / _SOUND)
    return player, recorder


def _play_through(setups: tuple[DaemonSetup, DaemonSetup], server: JackServer, disks: _Disks, seconds: float) -> End:
    with Daemon(setups[0]) as player, Daemon(setups[1]) as recorder:
        status = player.ask()
        midi_port, osc_port = int(status["midi_port"]), int(status["osc_port"])
        stage = _Stage(Watch(player), Watch(recorder), server, disks, seconds, osc_port)
        notes, noise, recorded = (
            music.notes(midi_port), music.garbage(midi_port),
            music.notes(int(recorder.ask()["midi_port"]), PADS[:1]),
        )  # fmt: skip
        fuzz = music.fuzz(osc_port, FUZZ_PACKETS / max(seconds, 600.0))
        with notes, noise, recorded, fuzz:
            _provoke(stage)
        time.sleep(_MORE_SECONDS)
        last, last_recorded = stage.player.look(), stage.recorder.look()
        time.sleep(_MORE_SECONDS)
        recorder.kill()
    return End(stage.player, stage.recorder, last, last_recorded, (notes, recorded), noise, fuzz, stage.floods, seconds)


def _provoke(stage: _Stage) -> None:
    """Let one thing after another go wrong, and watch."""
    todo, under_way = stage.plan(), list[tuple[float, Provocation]]()
    while stage.share < 1 or todo or under_way or stage.player.seconds_quiet < _QUIET_SECONDS:
        now = time.monotonic()
        # A trouble comes when what was before is over, but a flood at any time.
        if todo and stage.share >= todo[0][0] and (todo[0][1].shown == _NOTHING or (stage.is_calm and not under_way)):
            provocation = todo.pop(0)[1]
            stage.begin(provocation)
            under_way.append((now + provocation.seconds, provocation))
        for until, provocation in [item for item in under_way if item[0] <= now]:
            stage.end(provocation)
            under_way.remove((until, provocation))
        stage.look()
        time.sleep(_LOOK_SECONDS)


@contextlib.contextmanager
def _environment(folder: Path, home: TrialDisk) -> Iterator[None]:
    """Give the daemons a home on a disk for trials, and a cache of their own: the fuzz asks for many drums."""
    (folder / "tmp").mkdir()
    changes = {"HOME": str(home.folder), "XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder / "tmp")}
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value

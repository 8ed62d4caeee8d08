"""Each trouble of the soak by itself, against a daemon in a process of its own."""

import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from live_fakes import KIT, FakeSpec, until

from ghostnote.bridge.bench.rig import Daemon, DaemonSetup
from ghostnote.bridge.bench.soak.provocations import (
    DeadRefill,
    KilledWorker,
    Provocation,
    RemovedSegments,
    queue_flood,
    wildcard_flood,
)
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.render.instants import INSTANT_SECONDS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes are Linux's")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    save_kit(replace(KIT, name="Other"), tmp_path / "Other.toml")
    with Daemon(DaemonSetup(KIT, FakeSpec(), "null", 1, ("tcp:0",), kits=tmp_path)) as running:
        yield running


def played(daemon: Daemon) -> int:
    status = daemon.ask()
    return sum(int(status[f"notes_{kind}"]) for kind in ("fresh", "fallback", "reused"))


@pytest.fixture
def line(daemon: Daemon) -> Iterator[socket.socket]:
    """Return a line to its MIDI port, on which a note has come through."""
    with socket.create_connection(("127.0.0.1", int(daemon.ask()["midi_port"]))) as opened:
        play(daemon, opened, 1)
        yield opened


def play(daemon: Daemon, line: socket.socket, count: int, velocity: int = 100) -> None:
    """Play notes and see that each sounds; those of one instant would be one stroke."""
    for _ in range(count):
        before = played(daemon)
        line.sendall(bytes((0x99, 36, velocity)))
        until(lambda before=before: played(daemon) > before)
        time.sleep(2 * INSTANT_SECONDS)


@pytest.mark.parametrize("kind", [KilledWorker, RemovedSegments, DeadRefill])
def test_a_trouble_of_the_refill_is_named_while_it_lasts_and_notes_play_on(
    daemon: Daemon, line: socket.socket, kind: type[KilledWorker]
) -> None:
    trouble: Provocation = kind(daemon)
    # On a busy machine another worker may be there before anybody looks.
    times = next(count for count in range(1, 6) if is_named(daemon, trouble, count))
    play(daemon, line, 20)
    if kind is DeadRefill:
        assert "hits: " in str(daemon.ask()["trouble"])
    trouble.end()
    until(lambda: not daemon.ask()["trouble"])
    made = int(daemon.ask()["made"])
    play(daemon, line, 50, 20)
    until(lambda: int(daemon.ask()["made"]) > made)
    assert daemon.ask()["worker_restarts"] == times


def is_named(daemon: Daemon, trouble: Provocation, count: int) -> bool:
    """Provoke a trouble of the refill for the `count`-th time; return whether it is named before a worker is back."""
    trouble.begin()
    seen: list[str] = []

    def is_over() -> bool:
        status = daemon.ask()
        seen.append(str(status["trouble"]))
        return "hits: " in seen[-1] or int(status["worker_restarts"]) >= count

    until(is_over)
    return "hits: " in seen[-1]


def test_a_flood_of_future_notes_holds_up_no_midi_and_no_kit_that_is_confirmed(
    daemon: Daemon, line: socket.socket
) -> None:
    flood = queue_flood(int(daemon.ask()["osc_port"]), "Other")
    flood.begin()
    until(lambda: int(daemon.ask()["waiting"]) > 1000)
    play(daemon, line, 40)
    flood.end()
    assert flood.deaf_seconds < 20
    status = daemon.ask()
    assert (status["kit"], status["playing"]) == ("Other", "Other")


def test_a_flood_of_wildcards_makes_osc_deaf_to_nobody(daemon: Daemon, line: socket.socket) -> None:
    flood = wildcard_flood(int(daemon.ask()["osc_port"]))
    flood.begin()
    play(daemon, line, 40)
    flood.end()
    assert flood.deaf_seconds < 20
    assert int(daemon.ask()["osc_shed"]) > 0

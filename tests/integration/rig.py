"""What the end-to-end tests share: programs that nobody here wrote, and a recorder."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from live_fakes import KIT, FakeSpec, until

from ghostnote.bridge.bench.rig import Daemon, DaemonSetup

MARGIN_BLOCKS = 20
"""So many blocks before and after a report that a client was late may be spoilt, or their report still to come."""
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def need(*programs: str) -> None:
    """Skip the test, with the reason, where a program is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if "jackd" in programs:
        pytest.importorskip("jack", reason="JACK-Client is not installed", exc_type=(ImportError, OSError))


def fake(**changes: Any) -> Daemon:
    """Return a daemon whose strokes are noise."""
    return Daemon(DaemonSetup(**{"kit": KIT, "spec": FakeSpec(), "processes": 1, **changes}))


@contextmanager
def program(*command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a program for the length of the block."""
    process = subprocess.Popen(command, text=True, **{**QUIET, **options})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def sequencer(first: int = 36, second: int = 38) -> Iterator[int]:
    """Let JACK's own sequencer play two notes in turn, 12,000 frames apart; give how often it was started.

    On a busy machine it may come up without ever being called by the server: then it is started anew.
    """
    command = ("jack_midiseq", "Sequencer", "24000", "0", str(first), "8000", "12000", str(second), "8000")
    for count in range(1, 9):
        with program(*command) as process:
            if _sends("Sequencer:out"):
                yield count
                return
            assert process.poll() is None, "jack_midiseq has ended by itself"
    raise AssertionError("jack_midiseq was started eight times and sent no note")


def _sends(port: str) -> bool:
    """Return whether MIDI comes from a JACK port within ten seconds."""
    import jack

    client = jack.Client("listener", no_start_server=True)
    arrived, inward = threading.Event(), client.midi_inports.register("in")

    def look(frames: int) -> None:
        if any(True for _ in inward.incoming_midi_events()):
            arrived.set()

    client.set_process_callback(look)
    with client:
        connect(port, inward.name)
        return arrived.wait(10)


def connect(source: str, target: str) -> None:
    """Connect two JACK ports as soon as both are there."""
    command = ["jack_connect", source, target]
    until(lambda: subprocess.run(command, **QUIET).returncode == 0)  # type: ignore[call-overload]


class JackRecorder:
    """Records JACK ports whose names match a pattern, and where the server says that somebody was late.

    A context manager: a client that outlives its server would end the interpreter when it is collected.
    """

    def __init__(self, pattern: str) -> None:
        import jack

        self._client: Any = jack.Client("recorder", no_start_server=True)
        self._input = self._client.inports.register("in")
        self._blocks: list[np.ndarray] = []
        self._late: list[int] = []
        self._client.set_process_callback(lambda _: self._blocks.append(self._input.get_array().copy()))
        self._client.set_xrun_callback(lambda _: self._late.append(len(self._blocks)))
        self._client.activate()
        try:
            until(lambda: self._client.get_ports(pattern, is_audio=True, is_output=True))
            self._client.connect(self._client.get_ports(pattern, is_audio=True, is_output=True)[0], self._input)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> "JackRecorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def recorded(self) -> np.ndarray:
        """Return what was recorded so far, (frames,)."""
        return np.concatenate([np.zeros(0, np.float32), *self._blocks])

    def undisturbed(self) -> list[np.ndarray]:
        """Return the stretches, (frames,) each, in and around which all clients were in time."""
        count, blocks = len(self._blocks), self._blocks[:]
        spoilt = {n for late in tuple(self._late) for n in range(late - MARGIN_BLOCKS, late + MARGIN_BLOCKS)}
        runs = groupby(range(max(0, count - MARGIN_BLOCKS)), lambda n: n not in spoilt)
        return [np.concatenate([blocks[n] for n in run]) for is_good, run in runs if is_good]

    def stop(self) -> np.ndarray:
        """Leave the server, and return all that was recorded, (frames,)."""
        self._client.deactivate()
        self._client.close()
        return self.recorded()


def onsets(audio: np.ndarray, quiet_frames: int = 2000, level: float = 0.01) -> list[int]:
    """Return where sound follows silence."""
    loud = np.flatnonzero(np.abs(audio) > level)
    return [int(n) for i, n in enumerate(loud) if i == 0 or n - loud[i - 1] > quiet_frames]

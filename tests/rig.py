"""What the end-to-end tests share: programs that nobody here wrote, and a recorder."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from live_fakes import KIT, FakeSpec

from ghostnote.bridge.live.benchrig import Daemon, DaemonSetup

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


def connect(source: str, target: str) -> None:
    """Connect two JACK ports as soon as both are there."""
    for _ in range(100):
        if subprocess.run(["jack_connect", source, target], **QUIET).returncode == 0:  # type: ignore[call-overload]
            return
        time.sleep(0.05)
    raise TimeoutError(f"{source} and {target} cannot be connected")


class Recorder:
    """Records JACK ports whose names match a pattern."""

    def __init__(self, pattern: str, seconds: float = 10.0) -> None:
        import jack

        self._client: Any = jack.Client("recorder", no_start_server=True)
        self._input = self._client.inports.register("in")
        self._blocks: list[np.ndarray] = []
        self._client.set_process_callback(lambda _: self._blocks.append(self._input.get_array().copy()))
        self._client.activate()
        end = time.monotonic() + seconds
        while not (ports := self._client.get_ports(pattern, is_audio=True, is_output=True)):
            if time.monotonic() > end:
                raise TimeoutError(f"no port {pattern}")
            time.sleep(0.05)
        self._client.connect(ports[0], self._input)

    def stop(self) -> np.ndarray:
        """Return what was heard, (frames,)."""
        self._client.deactivate()
        self._client.close()
        return np.concatenate(self._blocks)


def onsets(audio: np.ndarray, quiet_frames: int = 2000, level: float = 0.01) -> list[int]:
    """Return where sound follows silence."""
    loud = np.flatnonzero(np.abs(audio) > level)
    return [int(n) for i, n in enumerate(loud) if i == 0 or n - loud[i - 1] > quiet_frames]

"""A JACK server without hardware, for measurements and tests."""

import contextlib
import itertools
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Final

from ghostnote.bridge.devices.jack import load
from ghostnote.bridge.errors import GhostnoteError

RATE: Final = 48_000
"""The server's rate, in Hz."""

_SHARED: Final = Path("/dev/shm")
_SERVER: Final = "ghostnote-bench"
_NUMBERS: Final = itertools.count(1)
"""A server that is killed may leave locks behind, so the next one of a process has another name."""
_START_SECONDS: Final = 20.0
_END_SECONDS: Final = 20.0
_PATIENT: Final = ("-t", "4000")
"""Milliseconds after which a client that is held up is dropped; jackd takes less than 5,000."""


class JackServer:
    """A JACK server with the dummy driver and a name of its own. A context manager; it can be killed and restarted."""

    def __init__(self, block_frames: int, listens: bool = False) -> None:
        """Use blocks of so many frames, and keep what it says if `listens`.

        `GhostnoteError` where jackd is not installed.
        """
        if shutil.which("jackd") is None:
            raise GhostnoteError("jackd is not installed: on Debian  apt install jackd2")
        self.said: list[tuple[float, str]] = []
        """Its lines, each with when it came, in `perf_counter` seconds."""
        self._block, self._listens = block_frames, listens
        self._process: subprocess.Popen[bytes] | None = None
        self._before: str | None = None

    def __enter__(self) -> "JackServer":
        """Start it, for this process and those that it starts."""
        self._before = os.environ.get("JACK_DEFAULT_SERVER")
        os.environ["JACK_DEFAULT_SERVER"] = f"{_SERVER}-{os.getpid()}-{next(_NUMBERS)}"
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it in order: a killed server's name is never free again, and there are only eight."""
        if self._process:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
        self.kill()
        _sweep(os.environ["JACK_DEFAULT_SERVER"])
        if self._before is None:
            del os.environ["JACK_DEFAULT_SERVER"]
        else:
            os.environ["JACK_DEFAULT_SERVER"] = self._before

    def start(self) -> None:
        """Start it, in real time where that is allowed; `GhostnoteError` when it does not come up."""
        jack = load()
        for priority in (("-R", "-P70"), ("-r",)):
            name = os.environ["JACK_DEFAULT_SERVER"]
            command = ["jackd", "-n", name, "--no-mlock", *_PATIENT, *priority, "-d", "dummy", "-r", str(RATE)]
            output = subprocess.PIPE if self._listens else subprocess.DEVNULL
            self._process = subprocess.Popen(
                [*command, "-p", str(self._block)], stdout=output, stderr=subprocess.STDOUT
            )
            if self._process.stdout:
                threading.Thread(target=self._listen, args=(self._process.stdout,), name="jackd", daemon=True).start()
            end = time.monotonic() + _START_SECONDS
            while self._process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
                with contextlib.suppress(jack.JackError):
                    jack.Client("ghostnote-probe", no_start_server=True).close()
                    return
            self.kill()
        raise GhostnoteError("jackd does not start: see what it says with  jackd -r -d dummy")

    def _listen(self, output: IO[bytes]) -> None:
        for line in output:
            self.said.append((time.perf_counter(), line.decode(errors="replace")))

    def kill(self) -> None:
        """Take it away without a word, as a pulled plug does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def _sweep(name: str) -> None:
    """Remove what a server of this name, once killed, and its clients left in shared memory."""
    for pattern in (f"jack_{name}_*", f"jack_sem.*_{name}_*"):
        for path in _SHARED.glob(pattern):
            with contextlib.suppress(OSError):
                path.unlink()

"""How the page performs on this machine: from a click to its sound, what it takes, and how fast it opens."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
from websockets.sync.client import connect

from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.osc.codec import pack
from ghostnote.bridge.live.osc.subscribers import ROOT
from ghostnote.bridge.page.own_files import STATIC

PADS: Final = 64
CLICK_SECONDS: Final = 0.0637
"""From one click to the next: no multiple of a block, and about sixteen a second."""

_RATE: Final = 48_000
_PORT: Final = 9487
_START_SECONDS: Final = 300.0
_APART: Final[dict[str, Any]] = {"stderr": subprocess.DEVNULL, "start_new_session": True}
_MOST_CLICK_MS, _MOST_SHARE, _MOST_LOAD = 20.0, 10.0, 1.0


def measure_page(seconds: float = 600.0) -> list[Measurement]:
    """Return the time from click to sound, the processor's share, the underruns, and the time to load.

    A daemon without a sound device has 64 pads played, for half of the time without a page that is looked at, to see
    what looking takes. `GhostnoteError` where it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="ghostnote-") as place, _programs(Path(place)) as (daemon, page, address):
        with _Client(address) as first:
            first.wait_until_ready()
        used, underruns = _used(daemon), first.facts["underruns"]
        _strike_alone(seconds / 2)
        alone = 100 * (_used(daemon) - used) / (seconds / 2)
        with _Client(address) as looking:
            without = Measurement("alone", "underruns without a page", float(looking.facts["underruns"] - underruns))
            return [*_measured(looking, daemon, page, seconds / 2, alone), without]


def _measured(client: "_Client", daemon: int, page: int, seconds: float, alone: float) -> list[Measurement]:
    client.listen(1.0)
    underruns, before = client.facts["underruns"], (_used(daemon), _used(page))
    client.play(seconds)
    of_daemon, of_page = (100 * (_used(p) - was) / seconds for p, was in zip((daemon, page), before, strict=True))
    new = client.facts["underruns"] - underruns
    click, late = (1000 * float(value) for value in np.percentile(client.delays, (50, 99)))
    share, load = of_page + of_daemon - alone, client.load_seconds
    return [
        Measurement("clicks", "clicks that sounded", float(len(client.delays))),
        Measurement("click_ms", "from a click's message to its sound's place in a block, median", click, "ms"),
        Measurement("click_p99_ms", "the same, 99 of 100", late, "ms", late <= _MOST_CLICK_MS),
        Measurement("page_percent", "the page's process, of one core", of_page, "%"),
        Measurement("daemon_percent", "the daemon's process that plays, with a page", of_daemon, "%"),
        Measurement("alone_percent", "the same without a page", alone, "%"),
        Measurement("share_percent", "what the page takes in both", share, "%", share <= _MOST_SHARE),
        Measurement("levels", "messages with levels a second", client.levels / seconds),
        Measurement("underruns", "underruns with the page open", float(new), "", new <= 0),
        Measurement("load_seconds", "all files of the page and its first state", load, "s", load <= _MOST_LOAD),
    ]


@contextmanager
def _programs(place: Path) -> Iterator[tuple[int, int, str]]:
    """Run a daemon and a page, and yield their processes and the page's address."""
    _write_kit(place)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(place)}
    command = [sys.executable, "-m", "ghostnote.bridge.cli"]
    live = [*command, "live", "--driver", "null", "--kit", str(place / "kit.toml"), "--osc", str(_PORT)]
    page = [*command, "page", "--osc", str(_PORT), "--no-open"]
    started: list[subprocess.Popen[str]] = []
    try:
        for arguments, output in ((live, subprocess.DEVNULL), (page, subprocess.PIPE)):
            started.append(subprocess.Popen(arguments, env=environment, stdout=output, text=True, **_APART))
        assert started[1].stdout
        said = started[1].stdout.readline().strip()
        if not said:
            raise GhostnoteError("the page does not start: 'ghostnote page' says why")
        yield started[0].pid, started[1].pid, said.partition(" ")[2]
    finally:
        for process in started[::-1]:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def _write_kit(place: Path) -> None:
    """Write a kit of many pads, each with a recorded stroke, so that no drum has to be generated first."""
    draw, time_axis = np.random.default_rng(1), np.arange(_RATE // 3) / _RATE
    pads = []
    for number in range(PADS):
        file = place / f"hit {number}.wav"
        burst = draw.uniform(-0.5, 0.5, (1, len(time_axis))) * np.exp(-time_axis * 14)
        write_audio(file, burst.astype(np.float32), _RATE)
        pads.append(Pad(f"Pad {number}", (number + 20,), CLASS_NAMES[number % len(CLASS_NAMES)], file, seed=number))
    save_kit(Kit("bench", 1, tuple(pads)), place / "kit.toml")


def _strike_alone(seconds: float) -> None:
    """Strike one pad after the other for so long, as a controller does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        begin = time.perf_counter()
        for number in range(int(seconds / CLICK_SECONDS)):
            line.sendto(pack(f"{ROOT}/hit", (number % PADS + 1, 100)), ("127.0.0.1", _PORT))
            time.sleep(max(0.0, begin + number * CLICK_SECONDS - time.perf_counter()))


def _used(process: int) -> float:
    """Return the processor's seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Client:
    """Looks at the page as a browser does. A context manager."""

    def __init__(self, address: str) -> None:
        """Load all files, and the state."""
        self.facts: dict[str, Any] = {}
        self.delays: list[float] = []
        """From each click's message to its sound's place in the daemon's blocks, in seconds."""
        self.levels = 0
        self._pads: dict[int, str] = {}
        self._clicked: dict[str, float] = {}
        began = time.perf_counter()
        self._open(address)
        self.load_seconds = time.perf_counter() - began

    def __enter__(self) -> "_Client":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self.close()

    def close(self) -> None:
        """Look no more."""
        self._line.close()

    def _open(self, address: str) -> None:
        where = urlsplit(address)
        line = http.client.HTTPConnection(where.netloc)
        line.request("GET", f"/?{where.query}")
        answer = line.getresponse()
        answer.read()
        headers = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        for path in ("/", *(f"/static/{file.name}" for file in sorted(STATIC.iterdir()) if file.is_file())):
            line.request("GET", path, headers=headers)
            line.getresponse().read()
        line.close()
        headers["Origin"] = f"http://{where.netloc}"
        self._line = connect(f"ws://{where.netloc}/state", additional_headers=headers, compression=None)
        end = time.perf_counter() + _START_SECONDS
        while len(self._pads) < PADS or not self.facts:
            if time.perf_counter() > end:
                raise GhostnoteError("the daemon does not start: 'ghostnote live' says why")
            self.listen(0.05)

    def wait_until_ready(self) -> None:
        """Wait until the daemon has strokes for all pads."""
        end = time.perf_counter() + _START_SECONDS
        while self.facts["ready_ms"] < 0:
            if time.perf_counter() > end:
                raise GhostnoteError("the daemon makes no strokes: 'ghostnote live' says why")
            self.listen(0.5)

    def listen(self, seconds: float) -> None:
        """Take what comes for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            with suppress(TimeoutError):
                self._take(json.loads(self._line.recv(timeout=left)))

    def play(self, seconds: float) -> None:
        """Click one pad after the other for so long."""
        begin = due = time.perf_counter()
        number = self.levels = 0
        while due < begin + seconds:
            slug = self._pads[number % PADS]
            number += 1
            self._clicked[slug] = time.perf_counter()
            self._line.send(json.dumps({"osc": ["hit", slug, 100]}))
            due += CLICK_SECONDS
            self.listen(max(0.0, due - time.perf_counter()))
        self.listen(1.0)

    def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "pad":
            self._pads[message["at"]] = message["slug"]
        elif kind == "status":
            self.facts = message["facts"]
        elif kind == "meters":
            self.levels += 1
        elif kind == "played" and message["pad"] in self._clicked:
            self.delays.append(message["at"] - self._clicked.pop(message["pad"]))

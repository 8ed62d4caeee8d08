"""The page beside a running daemon, and a client that looks at it as a browser does."""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from ghostnote.bridge.bench.programs import running
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.page.own_files import STATIC

COMMAND: Final = (sys.executable, "-m", "ghostnote.bridge.cli")
"""What `ghostnote` runs."""
_START_SECONDS: Final = 300.0


@contextmanager
def page_of(osc_port: int, environment: Mapping[str, str] | None = None) -> Iterator[tuple[int, str]]:
    """Run the page of the daemon that listens on a port; yield its process and address, `GhostnoteError` if none."""
    command = [*COMMAND, "page", "--osc", str(osc_port), "--no-open"]
    with running(command, environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        said = process.stdout.readline().strip()
        if not said:
            raise GhostnoteError("the page does not start: 'ghostnote page' says why")
        yield process.pid, said.partition(" ")[2]


@contextmanager
def looked_at(osc_port: int, pads: int) -> Iterator["PageClient"]:
    """Have the page of a daemon whose kit has so many pads open, and looked at, for the length of the block."""
    over = threading.Event()

    def look(client: PageClient) -> None:
        with suppress(ConnectionClosed):
            while not over.is_set():
                client.listen(0.2)

    with page_of(osc_port) as (_, address), PageClient(address, pads) as client:
        looking = threading.Thread(target=look, args=(client,), name="looking")
        looking.start()
        try:
            yield client
        finally:
            over.set()
            looking.join()


class PageClient:
    """Looks at the page as a browser does. A context manager."""

    def __init__(self, address: str, pads: int) -> None:
        """Load all files, and the state of a kit of so many pads; `GhostnoteError` where that takes too long."""
        self.facts: dict[str, Any] = {}
        self.delays: list[float] = []
        """From each click's message to its sound's place in the daemon's blocks, in seconds."""
        self.levels = 0
        """Messages with levels."""
        self._count = pads
        self._pads: dict[int, str] = {}
        self._clicked: dict[str, float] = {}
        self._stack = ExitStack()
        began = time.perf_counter()
        self._open(address)
        self.load_seconds = time.perf_counter() - began

    def __enter__(self) -> "PageClient":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self.close()

    def close(self) -> None:
        """Look no more."""
        self._stack.close()

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
        self._line = self._stack.enter_context(
            connect(f"ws://{where.netloc}/state", additional_headers=headers, compression=None)
        )
        end = time.perf_counter() + _START_SECONDS
        while len(self._pads) < self._count or not self.facts:
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

    def play(self, seconds: float, apart_seconds: float) -> None:
        """Click one pad after the other for `seconds`."""
        begin = due = time.perf_counter()
        number = self.levels = 0
        while due < begin + seconds:
            slug = self._pads[number % self._count]
            number += 1
            self._clicked[slug] = time.perf_counter()
            self._line.send(json.dumps({"osc": ["hit", slug, 100]}))
            due += apart_seconds
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

"""How the plugin performs in a host in real time: the LV2 in jalv, on JACK's dummy server, beside its daemon.

JACK's own sequencer strikes four pads at every sixteenth, and JACK's own recorder keeps what comes back. The server
says whose block was late.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pedalboard.io import AudioFile

from ghostnote.bridge.bench.cpu_stalls import CpuStallMonitor, Span, overlap
from ghostnote.bridge.bench.jack_server import RATE, JackServer
from ghostnote.bridge.bench.live import PADS, TEMPO_BPM
from ghostnote.bridge.bench.plugin import (
    BLOCK_FRAMES,
    FILL_SECONDS,
    MOST_SHARE,
    bundles_beside_daemon,
    freshness,
    origins,
)
from ghostnote.bridge.bench.programs import processor_seconds, running
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.errors import GhostnoteError

_PROGRAMS: Final = ("jalv", "jack_midiseq", "jack_connect", "jack_rec")
_HOST, _SEQUENCER = "player", "Sequencer"
_STEP_FRAMES: Final = round(RATE * 60 / TEMPO_BPM / 4)
_START_SECONDS: Final = 20.0
_ATTEMPTS: Final = 5
"""Starts of the sequencer."""
_SETTLE_SECONDS: Final = 1.0
_END_SECONDS: Final = 30.0
_BEFORE_BLOCKS: Final = 3
_FIND_FRAMES: Final = 480
_LEAST_RISE_DB: Final = 6.0


def measure_in_host(model: Path | None = None, seconds: float = 600.0) -> list[Measurement]:
    """Return the fresh notes, the late blocks and the host's share of a core in `seconds` of four pads' sixteenths.

    `GhostnoteError` where a program is lacking, the plugin cannot be built, or host or daemon do not start.
    """
    lacking = [name for name in _PROGRAMS if shutil.which(name) is None]
    if lacking:
        raise GhostnoteError(f"{', '.join(lacking)} is not installed: on Debian  apt install jackd2 jalv")
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ghostnote-")))
        bundles = stack.enter_context(bundles_beside_daemon(model))
        server = stack.enter_context(JackServer(BLOCK_FRAMES, listens=True))
        host = stack.enter_context(_host(bundles))
        return _played(host, server, place / "heard.wav", seconds)


@contextmanager
def _host(bundles: Path) -> Iterator[int]:
    """Run jalv with the plugin, and yield its process once its first strokes had time to be made."""
    environment = {**os.environ, "LV2_PATH": f"{bundles}:/usr/lib/lv2"}
    with running(("jalv", "-n", _HOST, "urn:ghostnote:stereo"), environment, stdin=subprocess.PIPE) as host:
        for _ in range(_ATTEMPTS):
            with _struck() as is_heard:
                if is_heard:
                    time.sleep(FILL_SECONDS)
                    yield host.pid
                    return
            if host.poll() is not None:
                raise GhostnoteError("jalv does not start with the plugin: 'jalv urn:ghostnote:stereo' says why")
    raise GhostnoteError("no stroke reaches the plugin in jalv: 'ghostnote plugin status' says more")


@contextmanager
def _struck() -> Iterator[bool]:
    """Let JACK's sequencer strike the pads, and yield whether a stroke is played: the server may never call it."""
    notes = [str(value) for note in PADS for value in (0, note, _STEP_FRAMES // 2)]
    link = ("jack_connect", f"{_SEQUENCER}:out", f"{_HOST}:lv2_events_in")
    with running(("jack_midiseq", _SEQUENCER, str(_STEP_FRAMES), *notes)):
        end = time.monotonic() + _START_SECONDS
        while not origins()["fresh"] and time.monotonic() < end:
            subprocess.run(link, capture_output=True, check=False)
            time.sleep(0.2)
        yield bool(origins()["fresh"])


def _played(host: int, server: JackServer, sound: Path, seconds: float) -> list[Measurement]:
    """Count what is played in so many seconds."""
    record = ("jack_rec", "-f", str(sound), "-d", str(round(seconds)), "-b", "16", f"{_HOST}:lv2_out_1_left")
    with CpuStallMonitor() as monitor:
        with running(record) as recorder:
            time.sleep(_SETTLE_SECONDS)
            notes, used, began = origins(), processor_seconds(host), time.perf_counter()
            recorder.wait(seconds + _END_SECONDS)
        passed = time.perf_counter() - began
        share = 100 * (processor_seconds(host) - used) / passed
        found = list(freshness(notes))
    with AudioFile(str(sound)) as recorded:
        audio = recorded.read(recorded.frames)[0]
    heard = 100 * sixteenths_heard(audio) / (len(audio) // _STEP_FRAMES)
    late = late_clients([(at, line) for at, line in server.said if at > began])
    own = [at for at, client in late if client == _HOST]
    awake = sum(not _stood_still(at, monitor.spans) for at in own)
    stalls = [until - since for since, until in monitor.spans if since > began]
    return [
        Measurement("seconds", f"sixteenths at {TEMPO_BPM:g} BPM on {len(PADS)} pads, in jalv", passed, "s"),
        *found,
        Measurement("heard_percent", "sixteenths that are heard in what was recorded", heard, "%"),
        Measurement("underruns", "blocks that the host finished late", len(own)),
        Measurement("own_underruns", "of these, while the machine did not stand still", awake, "", awake == 0),
        Measurement("others_late", "blocks that another program finished late", len(late) - len(own)),
        Measurement("cpu_stalls", "times that a processor of the machine stood still", len(stalls)),
        Measurement("cpu_stall_max_ms", "the longest of these", 1000 * max(stalls, default=0.0), "ms"),
        Measurement("share_percent", "the host with the plugin, of one core", share, "%", share <= MOST_SHARE),
    ]


def late_clients(said: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return when the server waited in vain for whose block, by its lines and when they came."""
    found = ((at, re.search(r"XRun: client = (\S+) was not finished", line)) for at, line in said)
    return [(at, late[1]) for at, late in found if late]


def _stood_still(at: float, spans: list[Span]) -> bool:
    """Return whether a processor did in the blocks before a report, the last of which was late."""
    return overlap((at - _BEFORE_BLOCKS * BLOCK_FRAMES / RATE, at), spans) > 0


def sixteenths_heard(audio: NDArray[np.float32]) -> int:
    """Return how many sixteenths begin with a rise of power, of audio (frames,), wherever the first one is."""
    power = np.square(audio[: len(audio) // _FIND_FRAMES * _FIND_FRAMES], dtype=np.float64)
    power = power.reshape(-1, _FIND_FRAMES).mean(-1) + 1e-10
    rise_db = 10 * np.log10(power[1:] / np.minimum.reduce([power[:-1], np.roll(power[:-1], 1)]))
    found = [
        rise_db[max(0, first // _FIND_FRAMES - 1) : (first + _STEP_FRAMES) // _FIND_FRAMES].max() > _LEAST_RISE_DB
        for first in range(0, len(audio) - _STEP_FRAMES, _STEP_FRAMES)
    ]
    return sum(found)

"""How the page performs on this machine: from a click to its sound, what it takes, and how fast it opens."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from ghostnote.bridge.bench.page_client import COMMAND, PageClient, page_of
from ghostnote.bridge.bench.programs import processor_seconds, running
from ghostnote.bridge.bench.report import Measurement
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.osc.codec import pack
from ghostnote.bridge.live.osc.subscribers import ROOT

PADS: Final = 64
CLICK_SECONDS: Final = 0.0637
"""From one click to the next: no multiple of a block, and about sixteen a second."""

_RATE: Final = 48_000
_PORT: Final = 9487
_MOST_CLICK_MS, _MOST_SHARE, _MOST_LOAD = 20.0, 10.0, 1.0


def measure_page(seconds: float = 600.0) -> list[Measurement]:
    """Return the time from click to sound, the processor's share, the underruns, and the time to load.

    A daemon without a sound device has 64 pads played, for half of the time without a page that is looked at, to see
    what looking takes. Underruns are the live benchmark's to measure. `GhostnoteError` where it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="ghostnote-") as place, _programs(Path(place)) as (daemon, page, address):
        with PageClient(address, PADS) as first:
            first.wait_until_ready()
        used = processor_seconds(daemon)
        _strike_alone(seconds / 2)
        alone = 100 * (processor_seconds(daemon) - used) / (seconds / 2)
        with PageClient(address, PADS) as looking:
            return _measured(looking, daemon, page, seconds / 2, alone)


def _measured(client: PageClient, daemon: int, page: int, seconds: float, alone: float) -> list[Measurement]:
    client.listen(1.0)
    before = processor_seconds(daemon), processor_seconds(page)
    client.play(seconds, CLICK_SECONDS)
    of_daemon, of_page = (
        100 * (processor_seconds(p) - was) / seconds for p, was in zip((daemon, page), before, strict=True)
    )
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
        Measurement("load_seconds", "all files of the page and its first state", load, "s", load <= _MOST_LOAD),
    ]


@contextmanager
def _programs(place: Path) -> Iterator[tuple[int, int, str]]:
    """Run a daemon and a page, and yield their processes and the page's address."""
    _write_kit(place)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(place)}
    command = [*COMMAND, "live", "--driver", "null", "--kit", str(place / "kit.toml"), "--osc", str(_PORT)]
    with running(command, environment) as live, page_of(_PORT, environment) as (page, address):
        yield live.pid, page, address


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

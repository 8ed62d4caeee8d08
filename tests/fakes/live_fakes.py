"""What the tests of the live engine share: a source that needs no model, and a kit for it."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.devices.base import DriverSettings
from ghostnote.bridge.errors import AudioFileError, ModelError
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.daemon import Live, LiveSettings, opened, tend
from ghostnote.bridge.live.hit import Hit
from ghostnote.bridge.live.osc.server import OscSettings
from ghostnote.bridge.live.pool import PadQueue, Pool
from ghostnote.bridge.render.workers import Audio

RATE = 8_000
FAKES = str(Path(__file__).parent)
KIT = Kit(
    "test",
    1,
    (
        Pad("Kick", (36, 35), "kick", seed=1),
        Pad("Snare Drum", (38,), "snare", seed=2, gain_db=-6.0, pan=0.5),
        Pad("Hat", (42,), "closed_hat", seed=3, choke="hats"),
        Pad("Open Hat", (46,), "open_hat", seed=4, choke="hats"),
    ),
)


class Noise(StrokeByStroke):
    """A burst of noise, another for each stroke."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        if pad.name == "dies":
            os._exit(3)
        if pad.hit and not pad.hit.is_file():
            raise AudioFileError(f"{pad.hit.name}: is missing")
        if pad.name == "broken":
            raise AudioFileError("kick.wav: is not a sound file")
        draw = np.random.default_rng((pad.seed, index, velocity, pad.steps))
        decay = np.exp(-np.arange(RATE // 4) / RATE * 20)
        channels = 1 if pad.name == "mono" else 2
        noise = draw.uniform(-0.2, 0.2, (channels, RATE // 4)) * decay * velocity / 127
        return np.repeat(noise, 2 // channels, axis=0).astype(np.float32)


@dataclass(frozen=True)
class FakeSpec:
    """Opens `Noise`, or fails as it is status."""

    how: str = ""

    def open(self) -> Noise:
        if self.how == "damaged":
            raise ModelError("x.onnx is not a model")
        return Noise()


def fill(pool: Pool, count: int = 4) -> None:
    """Put strokes by the network into every layer of every queue."""
    source = Noise()
    for queue in pool.queues:
        for layer in range(len(queue.fresh)):
            for _ in range(count):
                request = queue.request(layer)
                queue.put(request, source.stroke(request.pad, request.index, request.velocity))
                queue.finish(request)


def level_hit(queue: PadQueue, level: float = 0.5, frames: int = 100, velocity: int = 122) -> Hit:
    """Put one stroke of constant level into a queue's last layer."""
    request = queue.request(len(queue.fresh) - 1)
    queue.put(request, np.full((2, frames), level, np.float32))
    queue.finish(request)
    return queue.fresh[-1][-1]


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a callable to be true; the limit is for machines that stand still, not a measurement."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not come true in time")
        time.sleep(0.01)


def best(seconds: float, attempt: Callable[[], float], takes: int = 5) -> float:
    """Return the shortest measured time, of more takes while none is within `seconds`: a machine may stand still."""
    shortest = attempt()
    for _ in range(takes - 1):
        if shortest <= seconds:
            break
        shortest = min(shortest, attempt())
    return shortest


def carried_out(live: Live) -> None:
    """Wait until the engine has done all that was posted to it before, and status the OSC subscribers."""
    engine = live.session.engine

    def one_more_block() -> None:
        frame = engine.frame
        until(lambda: engine.frame > frame)

    # The block during which nothing waits may still be at what it took out; nothing is taken out twice.
    while True:
        until(lambda: not engine.waiting)
        one_more_block()
        if not engine.waiting:
            break
    one_more_block()
    if live.osc:
        until(lambda: not engine.played)


@contextmanager
def running(**changes: Any) -> Iterator[Live]:
    """Run a daemon without a device, on any free ports, on a thread of its own."""
    started: list[Live] = []
    settings = LiveSettings(
        **{
            "kit": KIT,
            "spec": lambda _: FakeSpec(),
            "driver": "null",
            "audio": DriverSettings(RATE, 80),
            "osc": OscSettings(port=0),
            "processes": 1,
            **changes,
        }
    )
    errors: list[BaseException] = []

    def serve() -> None:
        try:
            with opened(settings) as live:
                started.append(live)
                while not live.session.stopping.is_set():
                    tend(live)
                    time.sleep(0.01)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        until(lambda: started or errors)
        if errors:
            raise errors[0]
        yield started[0]
    finally:
        for live in started:
            live.session.stopping.set()
        thread.join(60)

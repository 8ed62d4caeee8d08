"""What makes drums and strokes for pages in tests; other processes import this alone, and soon."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from stroke_by_stroke import StrokeByStroke

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.page.tool_runs import Made, Task
from ghostnote.bridge.page.tool_table import TOOLS
from ghostnote.bridge.tools.explore import RATE, ExploreSettings, FoundDrum
from ghostnote.bridge.tools.words import SeedSearch, Wish


class FakeMaker:
    """Makes tones instead of drums, those near a given one a little higher each; tools with a model reverse."""

    def explore(self, settings: ExploreSettings, like: np.ndarray | None, rate: int) -> Iterator[FoundDrum]:
        time = np.arange(8_000) / RATE
        for number in range(settings.count):
            hertz = 80.0 * 1.3**number if like is None else 500.0 + 20 * number
            tone = 0.5 * np.sin(2 * np.pi * hertz * time) * np.exp(-time * 20)
            yield FoundDrum(tone[None].astype(np.float32), settings.seed + number, 0.2, hertz, hertz)

    def find(self, wish: Wish, search: SeedSearch, count: int) -> Iterator[FoundDrum]:
        return self.explore(ExploreSettings(search.drum_class, search.kind, count, search.seed), None, RATE)

    def drum(self, pad: Pad) -> Iterator[Made]:
        time = np.arange(8_000) / RATE
        yield Made((0.5 * np.sin(2 * np.pi * 100 * pad.drum_seed * time))[None].astype(np.float32), RATE)

    def work(self, tool: str, task: Task) -> Iterator[Made]:
        if tool == "extend":
            raise InputError("the hit lasts as long already")
        if tool in ("morph", "transition", "slice"):
            yield from TOOLS[tool].run(task, no_model)
        else:
            yield Made(
                task.audio[:, ::-1] * np.float32(task.values.get("strength", 0.5)), task.rate, "", task.drum_class
            )


def no_model() -> Any:
    """Stand in for a model where none is needed."""
    raise AssertionError("this tool needs no model")


@dataclass(frozen=True)
class FakeMakerSpec:
    """Opens `FakeMaker`."""

    def open(self) -> FakeMaker:
        return FakeMaker()


class Bursts(StrokeByStroke):
    """Makes bursts of noise, at their loudest 0.2 for velocity 127, another for each stroke."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> NDArray[np.float32]:
        noise = np.random.default_rng((pad.seed, index, velocity)).uniform(-1, 1, 2_000)
        burst = noise * np.exp(-np.arange(2_000) / 400)
        return np.tile(0.2 * velocity / 127 * burst / np.abs(burst).max(), (2, 1)).astype(np.float32)


@dataclass(frozen=True)
class FakeSpec:
    """Opens `Bursts`."""

    def open(self) -> Bursts:
        return Bursts()


@dataclass(frozen=True)
class FakeStrokes:
    """Makes strokes that know no rate."""

    def spec(self, rate: int) -> FakeSpec:
        return FakeSpec()

    def credits(self) -> tuple[str, ...]:
        return ("Nobody",)


def never_done(report: Callable[[int, int], None]) -> NoReturn:
    """Report that this began, and go on until it is ended."""
    report(0, 1)
    while True:
        signal.pause()

"""A kit of the strokes of a loop, made by the page."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from page_makers import FakeMakerSpec

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.page import bench as module
from ghostnote.bridge.page.bench import Bench
from ghostnote.bridge.page.drum_map import Sound
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.studio import Studio
from ghostnote.bridge.page.tool_runs import Made
from ghostnote.bridge.tools.slice import Stroke

RATE = 44_100
KICK, SNARE, BOTH = ("kick",), ("snare",), ("kick", "snare")


def stroke(start_seconds: float, classes: tuple[str, ...]) -> Stroke:
    start, time = round(start_seconds * RATE), np.arange(4_000) / RATE
    audio = sum(np.sin(2 * np.pi * {"kick": 60, "snare": 220}[name] * time) for name in classes) * np.exp(-time * 40)
    sound = (KICK, SNARE, BOTH).index(classes)
    return Stroke(start, start + 4_000, 0.3 * audio[None].astype(np.float32), classes, 1.0, 100, sound)


def sliced(seconds: Sequence[float], drums: Sequence[tuple[str, ...]]) -> Bench:
    """Return a bench on which a loop was cut into strokes at these times."""
    bench = Bench(Hub(), Studio(FakeMakerSpec()))
    bench.take(Sound("break", np.ones((1, RATE), np.float32), RATE, ""))

    async def work(tool: str, task: Any) -> tuple[Made, ...]:
        strokes = [stroke(*each) for each in zip(seconds, drums, strict=True)]
        return tuple(Made(each.audio, RATE, str(number), "", each) for number, each in enumerate(strokes))

    bench._studio.work = work  # type: ignore[method-assign]
    asyncio.run(bench.work("slice", {}))
    return bench


def tempo(path: Path) -> float:
    (found,) = [message.tempo for message in mido.MidiFile(path) if message.type == "set_tempo"]
    return float(mido.tempo2bpm(found))


def test_its_tempo_is_that_of_the_strokes(tmp_path: Path) -> None:
    bench = sliced(np.arange(8) * 60 / 90, [KICK, SNARE] * 4)
    name, report = asyncio.run(bench.write_kit(tmp_path))
    assert name == "break/break.toml"
    assert tempo(tmp_path / "break" / "break.mid") == pytest.approx(90, abs=0.2)
    assert report == []
    assert {pad.drum_class: len(pad.files) for pad in load_kit(tmp_path / name).pads} == {"kick": 4, "snare": 4}


def test_what_is_not_known_or_not_in_it_is_said(tmp_path: Path) -> None:
    bench = sliced([0.0, 0.5, 1.1], [KICK, SNARE, BOTH])
    _, report = asyncio.run(bench.write_kit(tmp_path))
    assert report == [
        "no tempo fits the strokes, so that break.mid has 120",
        "1 stroke of several drums at once: in files, not in pads",
    ]
    assert tempo(tmp_path / "break" / "break.mid") == pytest.approx(120, abs=0.01)


def test_it_is_of_the_loop_that_lay_there_when_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_go_on, write_loop = threading.Event(), threading.Event(), module.write_loop

    def held(*given: Any, **more: Any) -> Any:
        begun.set()
        may_go_on.wait(60)
        return write_loop(*given, **more)

    async def written() -> tuple[str, list[str]]:
        task = asyncio.create_task(bench.write_kit(tmp_path))
        await asyncio.sleep(0)
        bench.take(Sound("other", np.ones((1, RATE), np.float32), RATE, ""))
        assert await asyncio.to_thread(begun.wait, 60)
        may_go_on.set()
        return await task

    monkeypatch.setattr(module, "write_loop", held)
    bench = sliced(np.arange(4) / 2, [KICK, SNARE] * 2)
    assert asyncio.run(written())[0] == "break/break.toml"
    assert len(load_kit(tmp_path / "break" / "break.toml").pads) == 2

"""The page's table of sound tools, without the model: each does what its own function does."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_makers import FakeMakerSpec, no_model

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.sliders import Sliders
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.page.bench import Bench
from ghostnote.bridge.page.drum_map import MOST_DRUMS, DrumMap, MapDrum, Sound, wav_bytes
from ghostnote.bridge.page.exploring import said
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.studio import Studio
from ghostnote.bridge.page.tool_runs import Task
from ghostnote.bridge.page.tool_table import TOOLS
from ghostnote.bridge.tools.extend import extend
from ghostnote.bridge.tools.morph import morph_steps, transition
from ghostnote.bridge.tools.tweak import tweak
from ghostnote.bridge.tools.words import Wish, read_words

RATE = 44_100


def hit(hertz: float = 200.0, seconds: float = 0.4) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(1).normal(0, 0.05, len(time)) * np.exp(-time * 30)
    return (0.5 * np.sin(2 * np.pi * hertz * time) * np.exp(-time * 12) + noise)[None].astype(np.float32)


def run(tool: str, audio: np.ndarray, given: dict[str, float] | None = None, other: np.ndarray | None = None) -> Any:
    values, drum_class = TOOLS[tool].checked(given or {})
    return TOOLS[tool].run(Task(audio, RATE, values, drum_class, other), no_model)


def test_tweak_and_extend_are_the_tools_own() -> None:
    (made,) = run("tweak", hit(), {"bright": 1})
    np.testing.assert_array_equal(made.audio, tweak(hit(), RATE, Sliders(bright=1.0)))
    assert made.rate == RATE
    (made,) = run("extend", hit(), {"seconds": 1.5})
    np.testing.assert_array_equal(made.audio, extend(hit(), RATE, 1.5))


def test_repair_fills_a_dropout() -> None:
    broken = hit()
    broken[:, 4000:4200] = 0
    (made,) = run("repair", broken)
    assert np.abs(made.audio[:, 4000:4200]).max() > 0.01


def test_morph_and_transition_take_a_second_hit() -> None:
    first, second = hit(200.0), hit(400.0)
    steps = run("morph", first, {"count": 3}, second)
    assert [step.name for step in steps] == ["1 of 3", "2 of 3", "3 of 3"]
    for step, expected in zip(steps, morph_steps(first, second, RATE, 3), strict=True):
        np.testing.assert_array_equal(step.audio, expected)
    (joined,) = run("transition", first, {"start": 0.1, "seconds": 0.1}, second)
    np.testing.assert_array_equal(joined.audio, transition(first, second, RATE, start=0.1, seconds=0.1))


def test_a_tool_that_takes_two_names_the_lack_of_a_second() -> None:
    bench = Bench(Hub(), Studio(FakeMakerSpec()))
    with pytest.raises(InputError, match="drop one first"):
        asyncio.run(bench.work("tweak", {}))
    bench.take(Sound("a", hit(), RATE, ""))
    with pytest.raises(InputError, match="morph takes two sounds"):
        asyncio.run(bench.work("morph", {}))
    with pytest.raises(InputError, match="slice one first"):
        asyncio.run(bench.write_kit(Path()))
    for place in ("other", "after-0", "after-x", "nowhere"):
        with pytest.raises(InputError, match="no such sound"):
            bench.sound(place)
    with pytest.raises(InputError, match="not a side"):
        bench.take(Sound("a", hit(), RATE, ""), "behind")


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_each_tool_says_what_it_takes_and_refuses_what_is_outside(tool: Any) -> None:
    described = tool.described()
    assert [slider["name"] for slider in described["sliders"]] == [slider.name for slider in tool.sliders]
    values, drum_class = tool.checked({})
    assert values == {slider.name: slider.start for slider in tool.sliders}
    assert drum_class == CLASS_NAMES[0]
    with pytest.raises(InputError, match="class"):
        tool.checked({"class": "spoon"})
    for slider in tool.sliders:
        for wrong in (slider.low - 1, slider.high + 1, "much", True, float("nan")):
            with pytest.raises(InputError, match=slider.name):
                tool.checked({slider.name: wrong})


def test_what_sounds_alike_lies_near_on_the_map() -> None:
    drums = DrumMap()
    for hertz in (65, 68, 71, 4500, 4600, 4700):
        drums.add(MapDrum(f"{hertz}", hit(hertz), RATE, "tom"))
    places = np.array([(drum["x"], drum["y"]) for drum in drums.described()])
    low, high = places[:3, 0], places[3:, 0]
    assert max(np.ptp(low), np.ptp(high)) < 0.5 * abs(low.mean() - high.mean())
    assert places.min() == 0
    assert places.max() == 1


def test_one_more_drum_does_not_turn_the_map_over() -> None:
    drums = DrumMap()
    for hertz in (60, 80, 2000, 4000):
        drums.add(MapDrum(f"{hertz}", hit(hertz), RATE, "tom"))
    before = [drum["x"] for drum in drums.described()]
    drums.add(MapDrum("4200", hit(4200), RATE, "tom"))
    after = [drum["x"] for drum in drums.described()][:4]
    assert np.corrcoef(before, after)[0, 1] > 0.9


def test_the_oldest_drums_leave_a_full_map() -> None:
    drums, drum = DrumMap(), MapDrum("a", hit(), RATE, "tom")
    for _ in range(MOST_DRUMS + 3):
        drums.add(drum)
    assert len(drums.drums) == MOST_DRUMS
    assert next(iter(drums.drums)) == "4"
    assert wav_bytes(drum).startswith(b"RIFF")


def test_what_words_are_taken_for_is_said() -> None:
    assert said(read_words("dark boomy kick"), "kick") == "kick: darker, boomier"
    assert said(read_words("808 kick"), "kick").startswith("electronic kick")
    assert said(read_words("not bright zorgish"), "snare") == "snare: darker; not known here: zorgish"
    guessed = Wish("tom", weights={"long": -1.0}, guessed={"zorgish": {"long": -1.0}})
    assert said(guessed, "tom") == "tom: shorter; 'zorgish' is taken for shorter"

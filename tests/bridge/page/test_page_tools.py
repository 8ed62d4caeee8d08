"""The page's table of sound tools: each does what its own function does."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.page.drum_map import MOST_DRUMS, DrumMap, MapDrum, wav_bytes
from ghostnote.bridge.page.tool_table import TOOLS
from ghostnote.bridge.tools.extend import extend
from ghostnote.bridge.tools.tweak import Sliders, tweak

RATE = 44_100


def hit(hertz: float = 200.0, seconds: float = 0.4) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(1).normal(0, 0.05, len(time)) * np.exp(-time * 30)
    return (0.5 * np.sin(2 * np.pi * hertz * time) * np.exp(-time * 12) + noise)[None].astype(np.float32)


def no_model() -> Any:
    raise AssertionError("this tool needs no model")


def test_tweak_and_extend_are_the_tools_own() -> None:
    values, drum_class = TOOLS["tweak"].checked({"bright": 1})
    audio, rate = TOOLS["tweak"].run(hit(), RATE, values, drum_class, no_model)
    np.testing.assert_array_equal(audio, tweak(hit(), RATE, Sliders(bright=1.0)))
    assert rate == RATE
    values, drum_class = TOOLS["extend"].checked({"seconds": 1.5})
    audio, _ = TOOLS["extend"].run(hit(), RATE, values, drum_class, no_model)
    np.testing.assert_array_equal(audio, extend(hit(), RATE, 1.5))


def test_repair_fills_a_dropout() -> None:
    broken = hit()
    broken[:, 4000:4200] = 0
    audio, _ = TOOLS["repair"].run(broken, RATE, {}, "", no_model)
    assert np.abs(audio[:, 4000:4200]).max() > 0.01


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

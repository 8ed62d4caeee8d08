"""What the page makes with the model: each tool of that kind does what its own function does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.classify.classifier import class_by_sound
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.page.studio import ModelMaker, ModelSpec
from ghostnote.bridge.page.tool_runs import Task
from ghostnote.bridge.page.tool_table import TOOLS
from ghostnote.bridge.tools.explore import RATE, ExploreSettings, explore
from ghostnote.bridge.tools.transfer import TransferSettings, transfer
from ghostnote.bridge.tools.upsample import upsample
from ghostnote.bridge.tools.widen import Width, widen
from ghostnote.bridge.tools.word_drums import drums_for_words
from ghostnote.bridge.tools.words import SeedSearch, read_words


def snare(seconds: float = 0.3) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(1).normal(0, 0.1, len(time))
    hit = np.exp(-18 * time) * (noise + 0.2 * np.sin(2 * np.pi * 190 * time))
    return np.pad(hit, (882, 882))[None].astype(np.float32)


@pytest.fixture
def maker(tiny_onnx: Path) -> ModelMaker:
    return ModelSpec(tiny_onnx).open()


def made(maker: ModelMaker, tool: str, given: dict[str, Any]) -> Any:
    """Return the one sound that a tool makes of a snare."""
    values, drum_class = TOOLS[tool].checked(given)
    (found,) = maker.work(tool, Task(snare(), RATE, values, drum_class))
    return found


def test_transfer_makes_the_class_that_is_asked_for(maker: ModelMaker, tiny_generator: Any) -> None:
    found = made(maker, "transfer", {"strength": 0.5, "seed": 3, "class": "tom"})
    settings = TransferSettings("tom", strength=0.5, seed=3)
    np.testing.assert_array_equal(found.audio, transfer(snare(), RATE, settings, tiny_generator))
    assert (found.rate, found.drum_class) == (RATE, "tom")


def test_widen_takes_its_width_and_what_stays_mono(maker: ModelMaker, tiny_generator: Any) -> None:
    found = made(maker, "widen", {"width": 0.4, "mono_below": 300})
    drum_class = class_by_sound(snare(), RATE).drum_class
    expected = widen(snare(), RATE, drum_class, Width(0.4, 300), generator=tiny_generator)
    np.testing.assert_array_equal(found.audio, expected)
    assert found.audio.shape == (2, snare().shape[1])


def test_upsample_takes_the_cut_and_finds_it_at_0(maker: ModelMaker, tiny_generator: Any) -> None:
    found = made(maker, "upsample", {"above": 5000})
    drum_class = class_by_sound(snare(), RATE).drum_class
    expected = upsample(snare(), RATE, drum_class, above=5000, generator=tiny_generator)
    np.testing.assert_array_equal(found.audio, expected.audio)
    assert found.rate == expected.rate
    with pytest.raises(InputError) as why:
        upsample(snare(), RATE, drum_class, generator=tiny_generator)
    with pytest.raises(InputError) as same:
        made(maker, "upsample", {})
    assert str(same.value) == str(why.value)


def test_a_tool_without_the_model_does_not_open_it(tmp_path: Path) -> None:
    assert made(ModelMaker(tmp_path / "none.onnx"), "tweak", {"bright": 1}).audio.shape == snare().shape


def test_drums_are_explored_with_the_model(maker: ModelMaker, tiny_generator: Any) -> None:
    settings = ExploreSettings("snare", None, 2, 5)
    expected = explore(settings, None, RATE, tiny_generator)
    for found, other in zip(maker.explore(settings, None, RATE), expected, strict=True):
        np.testing.assert_array_equal(found.audio, other.audio)


@pytest.mark.parametrize(
    ("words", "search", "kind"),
    [
        ("dark cowbell", SeedSearch("perc", None, 2), "cowbell"),
        ("dark shaker", SeedSearch("perc", "cowbell", 2), "cowbell"),
        ("dark", SeedSearch("snare", None, 2), None),
    ],
)
def test_words_find_drums_of_the_kind_that_they_mean_unless_one_is_chosen(
    maker: ModelMaker, tiny_generator: Any, words: str, search: SeedSearch, kind: str | None
) -> None:
    wish = read_words(words)
    found = list(maker.find(wish, search, 2))
    expected = list(drums_for_words(tiny_generator, wish, replace(search, kind=kind), 2))
    assert [drum.seed for drum in found] == [drum.seed for drum in expected]
    for drum, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(drum.audio, other.audio)

from pathlib import Path

import pytest

from ghostnote.bridge.dsp.descriptors import DESCRIPTORS
from ghostnote.bridge.dsp.sliders import MOST, SLIDERS, Sliders
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.kit import Kit, default_kit, load_kit, parse_kit
from ghostnote.bridge.kit.overrides import parse_sliders, with_settings
from ghostnote.bridge.kit.save import kit_text, save_kit

HEAD = '[[pad]]\nname = "Snare"\nnotes = [38]\n'


def parsed(lines: str) -> Kit:
    return parse_kit(HEAD + lines, Path(), "my kit.toml")


def test_sliders_are_those_of_the_tool_in_their_order() -> None:
    assert SLIDERS == DESCRIPTORS


def test_sliders_are_read_and_saved(tmp_path: Path) -> None:
    kit = parsed("bright = 1\nlonger = -0.5\nrough = 2.0")
    assert kit.pads[0].sliders == Sliders(bright=1.0, longer=-0.5, rough=MOST)
    save_kit(kit, tmp_path / "kit.toml")
    assert load_kit(tmp_path / "kit.toml").pads == kit.pads
    assert kit.pads[0].plain == parsed("").pads[0]


def test_a_pad_without_sliders_has_none_in_its_file() -> None:
    (pad,) = parsed("").pads
    assert pad.sliders == Sliders()
    assert pad.plain == pad
    text = kit_text(default_kit(), Path())
    assert not [name for name in SLIDERS if f"\n{name} = " in text]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bright = 3", "bright = 3, but it must be a number from -2 to 2"),
        ("boomy = -2.5", r"boomy = -2\.5, but it must be a number from -2 to 2"),
        ('warm = "much"', "warm = 'much', but it must be a number from -2 to 2"),
        ("punch = true", "punch = True, but it must be a number"),
        ("hard = nan", "hard = nan, but it must be a number"),
        ("brigth = 1", "the key 'brigth' is unknown; did you mean bright"),
    ],
)
def test_what_a_slider_cannot_be_is_named(line: str, words: str) -> None:
    with pytest.raises(KitError, match=rf"^my kit\.toml: pad 1 'Snare': {words}"):
        parsed(line)


def test_sliders_of_every_pad_by_the_command_line() -> None:
    kit = default_kit()
    changed = with_settings(kit, sliders=parse_sliders(["bright=1", "longer = -0.5"]))
    assert {pad.sliders for pad in changed.pads} == {Sliders(bright=1.0, longer=-0.5)}
    assert with_settings(kit, sliders=parse_sliders([])) == kit
    for text, words in (
        ("bright", "'bright' is not a slider and its value"),
        ("bright=loud", "'bright=loud' is not a slider and its value"),
        ("shiny=1", "the key 'shiny' is unknown; choose one of bright, boomy"),
        ("bright=3", "bright = 3.0, but it must be a number from -2 to 2"),
    ):
        with pytest.raises(KitError, match=words):
            with_settings(kit, sliders=parse_sliders([text]))

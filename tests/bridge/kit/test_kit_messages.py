"""What kits say is quoted shortly, however long it is: numbers of thousands of digits, and texts without end."""

from pathlib import Path

import pytest

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.printable import shown
from ghostnote.bridge.kit.kit import parse_kit

HUGE = f"0x{'f' * 5_000}"
LONG = "x" * 5_000
HEAD = "[[pad]]\n"
PAD = f'{HEAD}name = "Kick"\nnotes = [36]\n'


@pytest.mark.parametrize(
    "text",
    [
        f"seed = {HUGE}\n{PAD}",
        f"name = {HUGE}\n{PAD}",
        f"effects = {HUGE}\n{PAD}",
        f"effects = [{HUGE}]\n{PAD}",
        f"{HEAD}name = {HUGE}\nnotes = [36]\n",
        f'{HEAD}name = "Kick"\nnotes = {HUGE}\n',
        f'{HEAD}name = "Kick"\nnotes = [{HUGE}]\n',
        *(
            f"{PAD}{key} = {value}\n"
            for key in ("gain_db", "class", "kind", "choke", "hit", "hits", "steps", "reverse", "effects")
            for value in (HUGE, f"[{{ a = {HUGE} }}]", f"'{LONG}'")
        ),
        f"{PAD}{LONG} = 1\n",
        f'{HEAD}name = "{LONG}"\nnotes = [36]\n',
        f"{PAD}hits = [{{ file = 'a.wav', velocity = {HUGE} }}]\n",
        f"{PAD}hits = [{{ file = 'a.wav', velocity = [1, {HUGE}] }}]\n",
        f"{PAD}hits = [{{ file = 'a.wav', openness = {HUGE} }}]\n",
        f"{PAD}hits = [{{ file = '{LONG}', velocity = 1 }}]\n",
        f"{PAD}effects = [{{ type = 'gain', gain_db = {HUGE} }}]\n",
        f"{PAD}effects = [{{ type = {HUGE} }}]\n",
        f"{PAD}effects = [{{ type = '{LONG}' }}]\n",
        f"{PAD}effects = [{{ plugin = '/{LONG}.vst3' }}]\n",
        f"{PAD}effects = [{{ plugin = '/', values = {{ {LONG} = nan }} }}]\n",
    ],
)
def test_a_value_of_any_length_is_one_short_message(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(KitError, match=r"^my kit\.toml: ") as caught:
        parse_kit(text, tmp_path, "my kit.toml")
    assert len(str(caught.value)) < 1_000
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("home", ["~nobody-of-this-name", "/" + "x" * 300])
def test_a_plugin_that_cannot_be_looked_up_is_named(tmp_path: Path, home: str) -> None:
    with pytest.raises(KitError, match="cannot be looked up"):
        parse_kit(f"{PAD}effects = [{{ plugin = '{home}/a.vst3' }}]\n", tmp_path, "my kit.toml")


def test_values_are_quoted_as_python_writes_them() -> None:
    assert [shown(value) for value in (1, 0.5, "a\nb", [1, "x"], True)] == ["1", "0.5", r"'a\nb'", "[1, 'x']", "True"]
    assert shown("x" * 300) == f"'{'x' * 200}…'"
    assert shown(10**5_000) == shown([10**5_000]) == "a number of thousands of digits"

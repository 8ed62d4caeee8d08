from pathlib import Path

import pytest

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.kit.note_map import NOTE_MAPS, load_map, with_map

KIT = Kit(
    "test",
    1,
    (
        Pad("Snare", (38, 40), "snare"),
        Pad("Closed", (42,), "closed_hat"),
        Pad("Open", (46,), "open_hat"),
        Pad("Tom", (50,), "tom"),
    ),
)


def notes(name: str) -> dict[str, tuple[int, ...]]:
    return {pad.name: pad.notes for pad in with_map(KIT, load_map(name)).pads}


def test_general_midi_changes_nothing() -> None:
    assert with_map(KIT, load_map("gm")) == KIT


def test_the_edges_of_a_v_drums_hi_hat_play_the_hats() -> None:
    found = notes("Roland")
    assert (found["Closed"], found["Open"], found["Snare"]) == ((42, 22), (46, 26), (38, 40))
    # A rim's note no longer strikes the drum that General MIDI has there.
    assert found["Tom"] == ()


def test_addictive_drums_has_its_hats_from_49_up_and_its_side_stick_on_42() -> None:
    found = notes("addictive")
    assert set(found["Closed"]) == {49, 50, 51, 52, 53}
    assert 42 not in (*found["Closed"], *found["Snare"])


@pytest.mark.parametrize("name", NOTE_MAPS)
def test_every_map_reaches_general_midi_alone(name: str) -> None:
    assert all(0 <= note <= 127 and 35 <= meant <= 82 for note, meant in NOTE_MAPS[name].items())


def test_a_file_says_what_notes_mean(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[notes]\n1 = 38\n38 = 1\n")
    assert notes(str(path))["Snare"] == (40, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[notes]\n128 = 38\n", "128 = 38"),
        ("[notes]\n1 = true\n", "1 = True"),
        ("[notes]\n1 = -1\n", "1 = -1"),
        ("[notes]\nsnare = 38\n", "snare = 38"),
        ("1 = 38\n", "one table"),
        ("notes = 5\n", "one table"),
        ("[notes\n", "not TOML"),
        (f"[notes]\n1 = 0x{'f' * 5_000}\n", "1 = a number of thousands of digits, but notes are whole"),
        (f"[notes]\n{'9' * 5_000} = 1\n", "9… = 1, but notes are whole numbers"),
        ('[notes]\n"\u0662\u0662" = 1\n', "whole numbers from 0 to 127"),
        ("[notes]\n22 = 42\n#" + "x" * 100_000 + "\n26 = 46\n", "is larger than 100 kB"),
    ],
)
def test_a_file_that_breaks_the_rules_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(KitError, match=f"mine.toml.*{said}"):
        load_map(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("name", ["rolland", "", "missing.toml"])
def test_what_is_not_a_map_is_refused(name: str) -> None:
    with pytest.raises(KitError, match=r"did you mean roland|choose one of gm, gm2, roland|no such file"):
        load_map(name)

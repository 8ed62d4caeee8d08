from pathlib import Path

import pytest

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.output_guard import check_outputs, numbered


@pytest.mark.parametrize("link", ["same", "symlink", "hardlink", "roundabout"])
def test_an_input_is_no_output_under_whatever_name(tmp_path: Path, link: str) -> None:
    source, name = tmp_path / "hit.wav", tmp_path / "out.wav"
    source.write_text("a hit")
    if link == "symlink":
        name.symlink_to(source)
    elif link == "hardlink":
        name.hardlink_to(source)
    elif link == "roundabout":
        name = tmp_path / "x" / ".." / "hit.wav"
    with pytest.raises(OutputError, match="also read"):
        check_outputs((None, source if link == "same" else name), (None, source))


def test_two_outputs_have_two_names_though_neither_is_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="another output"):
        check_outputs((tmp_path / "a.wav", tmp_path / "b" / ".." / "a.wav"), ())
    (tmp_path / "a.wav").write_text("written again")
    check_outputs((tmp_path / "a.wav", tmp_path / "b.wav"), (tmp_path / "song.mid",))


def test_names_that_are_taken_get_the_next_number(tmp_path: Path) -> None:
    take = tmp_path / "take.mid"
    assert numbered(take) == take
    take.write_text("a take")
    assert numbered(take).name == "take-2.mid"
    (tmp_path / "take-2.mid").symlink_to("nowhere")
    (tmp_path / "take-3.mid.part").write_text("unfinished")
    assert numbered(take).name == "take-3.mid"
    assert numbered(take, ".part").name == "take-4.mid"


def test_a_link_to_itself_is_just_another_name(tmp_path: Path) -> None:
    circle, folder = tmp_path / "x.wav", tmp_path / "self"
    circle.symlink_to("x.wav")
    folder.symlink_to("self")
    check_outputs((circle, folder / "stem.wav"), (tmp_path / "song.mid",))
    with pytest.raises(OutputError, match="also read"):
        check_outputs((circle,), (circle,))

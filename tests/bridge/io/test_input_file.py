import os
from pathlib import Path

import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.input_file import read_report, real_path


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_a_folder_or_nothing_instead_of_a_report_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for name, words in (("pipe.json", "a device or a pipe"), (".", "is a folder"), ("none", "no such file")):
        with pytest.raises(InputError, match=words):
            read_report(tmp_path / name)
    (tmp_path / "report.json").write_text('{"format": 2}')
    assert read_report(tmp_path / "report.json") == {"format": 2}


def test_a_link_in_a_circle_is_an_error_in_words(tmp_path: Path) -> None:
    circle = tmp_path / "report.json"
    circle.symlink_to("report.json")
    assert real_path(circle).name == "report.json"
    with pytest.raises(InputError, match=r"report\.json: its links go in a circle.*name a report itself"):
        read_report(circle)

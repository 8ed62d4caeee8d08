import os
from pathlib import Path

import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.input_file import read_report


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_a_folder_or_nothing_instead_of_a_report_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for name, words in (("pipe.json", "a device or a pipe"), (".", "is a folder"), ("none", "no such file")):
        with pytest.raises(InputError, match=words):
            read_report(tmp_path / name)
    (tmp_path / "report.json").write_text('{"format": 2}')
    assert read_report(tmp_path / "report.json") == {"format": 2}

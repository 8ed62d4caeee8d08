import os
from pathlib import Path

import pytest

from ghostnote.bridge.live.stderr import stderr_discarded


def test_what_a_library_writes_is_dropped_and_what_comes_after_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    with stderr_discarded():
        os.write(2, b"no server")
    os.write(2, b"an error")
    assert capfd.readouterr().err == "an error"


def test_no_file_is_left_open_where_the_system_has_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError(24, "too many open files")

    copies: list[int] = []
    with monkeypatch.context() as patch:
        dup = os.dup
        patch.setattr(os, "dup", lambda descriptor: copies.append(dup(descriptor)) or copies[0])
        patch.setattr(Path, "open", failing)
        with pytest.raises(OSError, match="too many"), stderr_discarded():
            pass
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(copies[0])

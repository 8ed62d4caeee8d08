import os

import pytest

from ghostnote.bridge.live.stderr import stderr_discarded


def test_what_a_library_writes_is_dropped_and_what_comes_after_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    with stderr_discarded():
        os.write(2, b"no server")
    os.write(2, b"an error")
    assert capfd.readouterr().err == "an error"

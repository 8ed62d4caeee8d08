import subprocess
import sys

import pytest


@pytest.mark.parametrize("command", [(), ("live",), ("render",), ("kit", "new"), ("humanize",)])
def test_switches_are_shown_without_a_type(command: tuple[str, ...]) -> None:
    program = (sys.executable, "-m", "ghostnote.bridge.cli", *command, "--help")
    shown = subprocess.run(program, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    assert "--help" in shown
    assert "bool" not in shown

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ghostnote.bridge.batch.settings import RANGES
from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import InputError


@pytest.mark.parametrize("command", [(), ("live",), ("render",), ("kit", "new"), ("humanize",)])
def test_switches_are_shown_without_a_type(command: tuple[str, ...]) -> None:
    program = (sys.executable, "-m", "ghostnote.bridge.cli", *command, "--help")
    shown = subprocess.run(program, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    assert "--help" in shown
    assert "bool" not in shown


@pytest.mark.parametrize("name", RANGES)
def test_humanize_has_the_ranges_of_the_python_api(name: str, tmp_path: Path) -> None:
    least, most = RANGES[name]
    for value, is_allowed in ((least - 1, False), (least, True), (most, True), (most + 1, False)):
        given = ["humanize", str(tmp_path / "gone.wav"), "-o", str(tmp_path / "out"), f"--{name}={value}"]
        # What the command line allows ends later, as the file is not there.
        assert isinstance(CliRunner().invoke(app, given).exception, InputError) == is_allowed

"""Commands that read folders say which sound files in them are of formats that are not read."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.audio_file import write_audio

RATE = 44_100
SAID = "1 file of another format was left out: tom.w64; convert it to WAV or FLAC"


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    times = np.arange(RATE // 4) / RATE
    folder = tmp_path / "hits"
    folder.mkdir()
    snare = (0.5 * np.sin(2 * np.pi * 190 * times) * np.exp(-20 * times)).astype(np.float32)[None]
    write_audio(folder / "snare.wav", snare, RATE, 24)
    (folder / "tom.w64").write_bytes(b"riff")
    return folder


COMMANDS = (
    ["humanize", "hits", "-o", "out", "--dry-run"],
    ["tweak", "hits", "--bright", "1", "-o", "out"],
    ["kit", "import", "hits", "-o", "kit.toml"],
    ["kit", "new", "kit.toml", "--hits", "hits"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_others_are_read_and_the_file_is_named(
    hits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert f"note: {SAID}" in result.output


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_where_nothing_else_is_there_the_error_names_it(
    hits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (hits / "snare.wav").unlink()
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, GhostnoteError)
    assert SAID in str(result.exception)

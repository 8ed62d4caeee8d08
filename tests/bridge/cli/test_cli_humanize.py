import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from ghostnote.bridge.batch.full_band import Audio, Strokes
from ghostnote.bridge.classify.classifier import Guess
from ghostnote.bridge.cli.humanize import humanize
from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.inference.variation import StrokeKey, Variation
from ghostnote.bridge.io.audio_file import read_audio, write_audio


class Same:
    rate = 44_100
    name = "fake"

    def strokes(self, hit: Audio, drum_class: str, variation: Variation) -> Strokes:
        def strokes(keys: Sequence[StrokeKey]) -> Iterator[Audio]:
            return (hit * np.float32(key.velocity / 127) for key in keys)

        return strokes


@dataclass(frozen=True)
class ModelSpec:
    model: Path | None

    def open(self) -> Same:
        return Same()


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("ghostnote.bridge.batch.model_variator")
    fake.ModelSpec = ModelSpec  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ghostnote.bridge.batch.model_variator", fake)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "pack").mkdir()
    fall = np.exp(-np.arange(8_000) / 800)
    thump = (np.sin(np.arange(8_000) / 120) * fall).astype(np.float32)[None]
    for name in ("kick.wav", "unnamed.wav"):
        write_audio(tmp_path / "pack" / name, thump, 44_100)
    return tmp_path / "pack"


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(humanize)
    return CliRunner().invoke(app, [*map(str, arguments), "--jobs", "1"])


def test_a_folder_becomes_instruments(pack: Path, tmp_path: Path) -> None:
    result = run(pack, "-o", tmp_path / "out", "-n", 3, "--velocities", 2, "--format", "flac", "--rate", 48_000)
    assert result.exit_code == 0, result.output
    assert "12 files" in result.stdout
    assert "% sure" in result.stdout
    assert read_audio(tmp_path / "out" / "kick" / "kick_v2_rr3.flac")[1] == 48_000


def test_a_resumed_run_with_nothing_to_do_says_so(pack: Path, tmp_path: Path) -> None:
    options = ("-o", tmp_path / "out", "-n", 1, "--velocities", 1)
    assert "2 files in" in run(pack, *options).stdout
    again = run(pack, *options, "--resume").stdout
    assert "nothing was left to do" in again
    assert "files in" not in again


@pytest.mark.parametrize(("drum_class", "words"), [("open_hat", "an open hat"), ("kick", "a kick")])
def test_a_class_by_sound_is_named_in_words(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drum_class: str, words: str
) -> None:
    monkeypatch.setattr("ghostnote.bridge.batch.worker.class_by_sound", lambda *_: Guess(drum_class, "sound", 0.5))
    shown = run(pack, "-o", tmp_path / "out", "-n", 1, "--velocities", 1).stdout
    assert f"unnamed.wav: sounds like {words}, 50% sure" in shown


def test_a_dry_run_tells_and_makes_nothing(pack: Path, tmp_path: Path) -> None:
    (pack / "bad.wav").write_bytes(b"no sound")
    result = run(pack, "-o", tmp_path / "out", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "kick (by name)" in result.stdout
    assert "(by sound," in result.stdout
    assert "would make 64 files of 2 hits" in result.stdout
    assert "bad.wav" in result.stderr
    assert not (tmp_path / "out").exists()


def test_what_was_left_out_is_named_and_ends_with_1(pack: Path, tmp_path: Path) -> None:
    (pack / "bad.wav").write_bytes(b"no sound")
    result = run(pack, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "bad.wav" in result.stderr
    assert "2 hits" in result.stdout


def test_where_nothing_can_be_made_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    result = run(tmp_path / "bad.wav", "-o", tmp_path / "out", "--export", "sfz")
    assert result.exit_code == 1
    assert result.stdout.strip() == "nothing was made"
    assert result.stderr.count("bad.wav: is not a sound file") == 1
    assert not (tmp_path / "out").exists()


def test_a_link_to_itself_is_named(pack: Path, tmp_path: Path) -> None:
    (pack / "circle.wav").symlink_to("circle.wav")
    result = run(pack, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "circle.wav: its links go in a circle" in result.stderr
    assert "2 hits; 0 left out, 1 failed" in result.stdout


def test_a_loop_left_out_by_design_ends_with_0_and_both_numbers_are_told(pack: Path, tmp_path: Path) -> None:
    loop = np.tile(read_audio(pack / "kick.wav")[0], 8)
    write_audio(pack / "loop.wav", loop, 44_100)
    result = run(pack, "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "2 hits; 1 left out, 0 failed" in result.stdout
    assert "left out: " in result.stderr
    (pack / "bad.wav").write_bytes(b"no sound")
    result = run(pack, "-o", tmp_path / "again")
    assert result.exit_code == 1
    assert "2 hits; 1 left out, 1 failed" in result.stdout


def test_an_output_inside_the_source_is_said(pack: Path) -> None:
    assert f"{pack / 'out'} lies inside {pack}" in run(pack, "-o", pack / "out").stdout


def test_names_that_cannot_be_shown_are_escaped(pack: Path, tmp_path: Path) -> None:
    names = (os.fsdecode(b"kick \xfc.wav"), "kick \x1b[31m\n.wav")
    try:
        for name in names:
            (pack / name).write_bytes((pack / "kick.wav").read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    for options in (("--dry-run",), (), ("--resume",)):
        result = run(pack, "-o", tmp_path / "out", *options)
        assert result.exit_code == 0, result.output
        assert "\x1b" not in result.stdout
    (pack / "kick.wav").write_bytes(b"no sound")
    listed = run(pack, "-o", tmp_path / "out", "--dry-run").stdout
    assert "kick \\udcfc.wav" in listed
    assert "kick \\x1b[31m\\n.wav" in listed


def test_wrong_options_are_errors_before_any_work(pack: Path, tmp_path: Path) -> None:
    for options in (("--class", "kik"), ("--format", "mp3"), ("--bits", 20)):
        result = run(pack, "-o", tmp_path / "out", *options)
        assert isinstance(result.exception, InputError)
        assert isinstance(result.exception, GhostnoteError)
    assert not (tmp_path / "out").exists()

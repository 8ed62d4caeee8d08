"""No command overwrites a file that it reads, under whatever name."""

from pathlib import Path

import mido
import pytest
from batch_fakes import RATE, hit
from typer.testing import CliRunner, Result

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.audio_file import write_audio


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of inputs, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("note_on", note=38, velocity=90)])]).save("song.mid")
    for name in ("hits", "run/steps-4"):
        Path(name).mkdir(parents=True)
    write_audio(Path("hits/snare.wav"), hit(), RATE)
    Path("kit.toml").write_text('[[pad]]\nname = "Snare"\nnotes = [38]\nhit = "hits/snare.wav"\n')
    for name in ("model.onnx", "run/model.safetensors", "run/steps-4/model.safetensors", "report.json"):
        Path(name).write_text("read by the command")
    Path("link.toml").symlink_to("hits/snare.wav")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run(command: str) -> Result:
    return CliRunner().invoke(app, command.split())


@pytest.mark.parametrize(
    "command",
    [
        "render song.mid --kit kit.toml -o hits/snare.wav",
        "render song.mid --timing 2 --midi-out song.mid",
        "live --kit kit.toml -o hits/snare.wav",
        "live --record kit.toml --kit kit.toml",
        "figure hits/snare.wav -o hits/snare.wav",
        "figure hits/snare.wav --levels -o hits/../hits/snare.wav",
        "export run -o run/model.safetensors",
        "export run -o report.json --calibration report.json",
        "kit new link.toml --hits hits --force",
        "bench --peer --report report.json --json report.json",
        "evaluate report.json --data hits -o .",
        "train hits --initial run -o run --steps 1",
        "train hits --initial run/model.safetensors -o run --steps 1",
        "finetune run --data hits -o run",
        "distill run/steps-4 --data hits -o run --steps 4",
    ],
)
def test_no_output_is_a_file_that_the_command_reads(folder: Path, command: str) -> None:
    before = contents(folder)
    result = run(command)
    assert isinstance(result.exception, OutputError), result.output
    assert "cannot write" in str(result.exception)
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["hits/snare.wav", "kit.toml", "song.mid", "model.onnx"])
def test_a_log_is_added_to_no_file_but_a_log(folder: Path, name: str) -> None:
    before = contents(folder)
    result = run(f"--log-file {name} kit check kit.toml")
    assert isinstance(result.exception, OutputError)
    assert contents(folder) == before
    for _ in range(2):
        assert run("--log-file new/folder/log kit check kit.toml").exit_code == 0


def test_strokes_are_not_written_through_a_link_to_a_source(folder: Path) -> None:
    stroke = folder / "out" / "snare" / "snare_v1_rr1.wav"
    stroke.parent.mkdir(parents=True)
    stroke.symlink_to(folder / "hits" / "snare.wav")
    before = (folder / "hits" / "snare.wav").read_bytes()
    result = run("humanize hits -o out -n 1 --velocities 1 --steps 0 --jobs 1")
    assert result.exit_code == 1
    assert "is a link" in result.stderr
    assert (folder / "hits" / "snare.wav").read_bytes() == before

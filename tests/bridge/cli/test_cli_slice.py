"""`ghostnote slice` takes files and folders, and finds the tempo."""

from pathlib import Path

import mido
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import read_audio, write_audio

RATE = 44_100


def write_loop(path: Path, bpm: float) -> None:
    """Write two bars of clicks on eighths."""
    pytest.importorskip("aubio")
    rng, t = np.random.default_rng(1), np.arange(RATE // 12) / RATE
    sound = np.zeros(round(RATE * (16 * 30 / bpm + 0.5)), np.float32)
    for at in range(16):
        first = round((0.1 + at * 30 / bpm) * RATE)
        sound[first : first + len(t)] += (np.exp(-50 * t) * rng.standard_normal(len(t)) * 0.2).astype(np.float32)
    write_audio(path, sound[None], RATE, 16)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["slice", *map(str, arguments)])


def tempo(path: Path) -> float:
    return next(mido.tempo2bpm(message.tempo) for message in mido.MidiFile(path) if message.type == "set_tempo")


def test_a_folder_of_loops_becomes_a_folder_each_with_the_tempo_that_is_found(tmp_path: Path) -> None:
    loops = tmp_path / "loops"
    loops.mkdir()
    for name, bpm in (("slow", 90), ("fast", 125)):
        write_loop(loops / f"{name}.wav", bpm)
    write_audio(loops / "silent.wav", np.full((1, RATE), 1e-9, np.float32), RATE, 32)
    result = run(loops, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "failed: " in result.output
    assert "silent.wav" in result.output
    assert tempo(tmp_path / "out" / "slow" / "slow.mid") == pytest.approx(90, rel=0.01)
    assert tempo(tmp_path / "out" / "fast" / "fast.mid") == pytest.approx(125, rel=0.01)
    assert "beats a minute (found)" in result.output


def test_a_tempo_that_is_given_is_taken_and_only_an_empty_folder_is_filled(tmp_path: Path) -> None:
    write_loop(tmp_path / "loop.wav", 100)
    (tmp_path / "out").mkdir()
    for name in ("out", "out-2"):
        result = run(tmp_path / "loop.wav", "-o", tmp_path / "out", "--tempo", 50)
        assert result.exit_code == 0
        assert tempo(tmp_path / name / "loop.mid") == pytest.approx(50)
        assert "50 beats a minute (given)" in result.output
    assert "out is there already: wrote" in result.output
    failed = run(tmp_path / "none.wav", "-o", tmp_path / "out")
    assert isinstance(failed.exception, InputError)
    assert "is there already" not in failed.output


def test_what_an_earlier_run_wrote_is_not_sliced_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loops = tmp_path / "loops"
    loops.mkdir()
    monkeypatch.chdir(loops)
    write_loop(loops / "take.wav", 100)
    for output, folder in ((("-o", loops / "cut"), loops / "cut"), ((), loops / "loops-slice")):
        for name in ("take", "take-2", "take-3"):
            result = run(".", *output)
            assert result.exit_code == 0, result.output
            assert (folder / name / "take.mid").exists()
            assert result.output.count(" hits") == 1
        assert len([path for path in folder.iterdir() if path.is_dir()]) == 3
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("loop.wav", "-o", "out.wav"), "out.wav: is the name of a sound file, and a loop becomes several"),
        (("loop.wav", "-o", "out.mp3"), "out.mp3: .mp3 cannot be written"),
        (("loop.wav", "-o", "out", "--bits", 20), "--bits 20: no format has that; choose one of 16, 24, 32"),
        ((".", "-o", "../loops"), "is the folder of the loops"),
    ],
)
def test_an_output_that_cannot_be_is_said_before_any_loop_is_sliced(
    arguments: tuple[object, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loops").mkdir()
    monkeypatch.chdir(tmp_path / "loops")
    Path("loop.wav").write_text("is never read")
    result = run(*arguments)
    assert isinstance(result.exception, InputError)
    assert said in str(result.exception)
    assert [path.name for path in Path().iterdir()] == ["loop.wav"]


def test_a_loop_may_last_longer_than_a_hit(tmp_path: Path) -> None:
    write_loop(tmp_path / "loop.wav", 100)
    audio, _ = read_audio(tmp_path / "loop.wav")
    long = tmp_path / "long.wav"
    write_audio(long, np.pad(audio, ((0, 0), (0, 65 * RATE - audio.shape[1]))), RATE, 16)
    assert run(long, "-o", tmp_path / "out").exit_code == 0
    write_audio(long, np.full((1, 601_000), 0.1, np.float32), 1_000, 16)
    assert "lasts 601.0 seconds, at most 600 are read; cut it" in str(run(long, "-o", tmp_path / "out").exception)

"""Other systems on the command line: listed, trained, generated from; what they do not take is said."""

from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.cli.evaluate_systems import _opened_model
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.evaluate.player import ModelPlayer

TINY = ("--set", "decimation=4", "--set", "width=2", "--set", "latent=4")


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


@pytest.fixture(scope="module")
def trained(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("systems") / "run"
    code, output = run("train", small_corpus, "-o", folder, "--system", "wavegan", *TINY, "--steps", 3, "--batch", 2)
    assert code == 0, output
    return folder


def test_systems_are_listed() -> None:
    code, output = run("systems")
    assert code == 0
    assert {"ddpm", "wavenet", "wavegan", "codec"} <= set(output.split())


def test_a_run_generates_drums_by_seed(trained: Path, tmp_path: Path) -> None:
    code, output = run("generate", "--run", trained, "-c", "snare", "-n", 2, "--seed", 5, "-o", tmp_path)
    assert code == 0, output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snare_5.wav", "snare_6.wav"]
    first, rate = read_audio(tmp_path / "snare_5.wav")
    assert rate == 44_100
    assert first.any()
    run("generate", "--run", trained, "-c", "snare", "-n", 1, "--seed", 5, "-o", tmp_path / "again")
    assert (read_audio(tmp_path / "again" / "snare_5.wav")[0] == first).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--kind", "cowbell"), "--kind is given with --run"),
        (("-c", "snare", "--guidance", "2"), "--guidance is given with --run"),
        (("tight snare",), "WORDS is given with --run"),
        (("-c", "snare", "--continue", "HIT"), "a WaveGAN makes hits as a whole"),
    ],
)
def test_what_a_run_does_not_follow_is_said(trained: Path, tmp_path: Path, arguments: tuple, message: str) -> None:
    hit = tmp_path / "cut.wav"
    write_audio(hit, np.full((1, 500), 0.1, np.float32), 44_100)
    code, output = run(
        "generate", "--run", trained, *(hit if each == "HIT" else each for each in arguments), "-o", tmp_path
    )
    assert code != 0
    assert message in output


def test_a_run_of_the_instrument_is_no_system(small_corpus: Path, tmp_path: Path) -> None:
    code, output = run("generate", "--run", tmp_path, "-c", "snare", "-o", tmp_path / "out")
    assert code != 0
    assert "give a run's folder" in output
    code, output = run("train", small_corpus, "-o", tmp_path / "run", "--set", "width=2", "--steps", 1)
    assert code != 0
    assert "--set is given without --system" in output


@pytest.mark.parametrize("option", [("--compile",), ("--draws", "2"), ("--pairs", "0.5"), ("--shapes-alone",)])
def test_what_training_a_system_does_not_take_is_said(small_corpus: Path, tmp_path: Path, option: tuple) -> None:
    code, output = run("train", small_corpus, "-o", tmp_path / "run", "--system", "wavegan", "--steps", 1, *option)
    assert code != 0
    assert f"{option[0]} is given with --system" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--system", "RUN", "--layers"), "--layers is given with --system"),
        (("--tools", "--sweep", "seed=1,2"), "--sweep is given with --tools"),
        (("--jobs", "2"), "--jobs is given without --sweep"),
        (("--tool", "tweak"), "--tool is given without --tools"),
        (("--system", "RUN", "--system", "elsewhere/RUN"), "two systems are called 'run'"),
    ],
)
def test_options_of_evaluate_that_exclude_each_other_are_said(
    trained: Path, small_corpus: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    copytree(trained, tmp_path / "elsewhere" / "run")
    paths = {"RUN": trained, "elsewhere/RUN": tmp_path / "elsewhere" / "run"}
    given = [paths.get(option, option) for option in options]
    code, output = run("evaluate", "--data", small_corpus, "-o", tmp_path / "out", *given)
    assert code != 0
    assert message in output


@pytest.mark.parametrize("frames", [100, 40_000])
def test_hits_of_the_model_are_brought_to_one_length(tiny_onnx: Path, monkeypatch, frames: int) -> None:
    monkeypatch.setattr(ModelPlayer, "new_sounds", lambda self, labels: torch.ones(len(labels), frames))
    hits = _opened_model(tiny_onnx).sample(torch.tensor([0, 3]), 1)
    assert hits.shape == (2, HIT_FRAMES)
    assert hits.sum(1).tolist() == [min(frames, HIT_FRAMES)] * 2

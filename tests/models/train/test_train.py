import csv
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from live_fakes import until
from safetensors.torch import save
from tiny import TINY, small_settings
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import InputError, ModelError, OutputError, TrainingError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.models.data.synthetic.corpus import make_corpus
from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES, FLOOR, GROUPS, group_exponents
from ghostnote.models.nets.cascade import SHAPE_ROWS
from ghostnote.models.nets.checkpoint import (
    STATE,
    WEIGHTS,
    load_model,
    read_generation,
    read_tensors,
    save_model,
    write_tensors,
)
from ghostnote.models.train.loop import train
from ghostnote.models.train.objective import Objective
from ghostnote.models.train.shape_objective import SHAPES_ALONE, varied
from ghostnote.models.train.trainer import TrainingTask, TrainSettings


def weights(run):
    return load_model(run)[0].state_dict()


@pytest.fixture
def without_pictures(monkeypatch):
    """Leave the grids of new hits to the tests that ask for them."""
    monkeypatch.setattr("ghostnote.models.train.trainer.write_preview", lambda *args, **options: None)


def test_training_lowers_the_loss_and_can_be_loaded(small_corpus, tmp_path):
    losses = []
    train(
        small_corpus,
        tmp_path,
        small_settings(steps=40, learning_rate=3e-3, validate_every=20),
        TINY,
        report=lambda progress: losses.append(progress.loss),
    )
    assert losses[-1] < 0.96 * losses[0]
    rows = list(csv.DictReader((tmp_path / "metrics.csv").open()))
    assert int(rows[-1]["step"]) == 40
    assert float(rows[-1]["validation_sound"]) > 0
    assert (tmp_path / "preview.png").stat().st_size > 1000
    assert (tmp_path / "preview.flac").is_file()
    model, facts = load_model(tmp_path)
    assert facts["step"] == 40
    assert facts["credits"] == ["ghostnote's drum synthesizer (CC0-1.0)"]
    assert model.repeatability_bias.isfinite().all()
    assert model.principal_components.any()


def test_a_resumed_run_ends_as_an_unbroken_one(small_corpus, tmp_path):
    settings = small_settings(steps=8)
    train(small_corpus, tmp_path / "whole", settings, TINY)

    class KilledError(Exception):
        pass

    def kill(progress):
        if progress.step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        train(small_corpus, tmp_path / "broken", settings, TINY, report=kill)
    train(small_corpus, tmp_path / "broken", settings, TINY)
    whole, broken = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_a_new_run_can_start_from_anothers_weights(small_corpus, tmp_path):
    train(small_corpus, tmp_path / "first", small_settings(steps=4), TINY)
    frozen = small_settings(steps=4, learning_rate=1e-12)
    train(small_corpus, tmp_path / "second", frozen, initial=tmp_path / "first")
    first, second = weights(tmp_path / "first"), weights(tmp_path / "second")
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)


def test_shapes_alone_leave_the_sound_as_it_was(small_corpus, tmp_path):
    train(small_corpus, tmp_path / "first", small_settings(steps=4), TINY)
    settings = small_settings(steps=6, pair_share=0.0)
    train(small_corpus, tmp_path / "second", settings, initial=tmp_path / "first", task=SHAPES_ALONE)
    first, second = weights(tmp_path / "first"), weights(tmp_path / "second")
    assert all(torch.equal(first[name], second[name]) for name in first if not name.startswith("shape."))
    assert not torch.equal(first["shape.out.weight"], second["shape.out.weight"])
    row = list(csv.DictReader((tmp_path / "second" / "metrics.csv").open()))[-1]
    assert float(row["validation_sound"]) == 0 < float(row["validation_shape"])


def test_a_resumed_run_of_shapes_ends_as_an_unbroken_one(small_corpus, tmp_path):
    train(small_corpus, tmp_path / "whole", small_settings(steps=6, validate_every=3), TINY, task=SHAPES_ALONE)

    def kill(progress):
        if progress.step == 4:
            raise InterruptedError

    settings = small_settings(steps=6, validate_every=3)
    with pytest.raises(InterruptedError):
        train(small_corpus, tmp_path / "broken", settings, TINY, task=SHAPES_ALONE, report=kill)
    train(small_corpus, tmp_path / "broken", settings, TINY, task=SHAPES_ALONE)
    whole, broken = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_varied_shapes_differ_a_little_and_keep_their_silence():
    shape = torch.zeros(400, SHAPE_ROWS, ENVELOPE_FRAMES)
    silent = (FLOOR ** group_exponents(shape.device)).log()[:, None].expand(-1, 64)
    shape[:, :GROUPS, :64], shape[:, :GROUPS, 64:] = -1.0, silent
    generated = varied(shape, torch.Generator().manual_seed(0))
    assert torch.allclose(generated[:, :GROUPS, 64:], shape[:, :GROUPS, 64:], atol=1e-3)
    change_db = (generated - shape)[:, GROUPS - 1, 0] / 0.5 * 8.7
    assert 1 < change_db.std() < 4
    # Neither longer nor shorter, brighter nor darker, on the whole.
    change = (generated - shape)[:, :GROUPS, :64]
    assert change.mean().abs() < 0.03
    assert change.mean((0, 2)).abs().max() < 0.05
    assert (generated - shape)[:, GROUPS + 1 :].abs().max() == 0


def test_neither_steps_nor_minutes_is_an_error(small_corpus, tmp_path):
    with pytest.raises(InputError, match="--minutes"):
        train(small_corpus, tmp_path, TrainSettings(), TINY)


def test_a_damaged_state_is_named(small_corpus, tmp_path):
    train(small_corpus, tmp_path, small_settings(steps=2), TINY)
    (tmp_path / STATE).write_bytes(b"no tensors")
    with pytest.raises(ModelError, match=r"state\.safetensors"):
        train(small_corpus, tmp_path, small_settings(steps=4), TINY)


def test_the_command_names_files_that_it_leaves_out(small_corpus, tmp_path):
    folder = tmp_path / "hits"
    make_corpus(folder, drums_per_class=2, strokes=2)
    (folder / "snare_broken.wav").write_bytes(b"RIFF no sound")
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "manifest.csv").open("a", newline="") as file:
        csv.DictWriter(file, rows[0]).writerow({**rows[0], "path": "snare_broken.wav", "split": "train"})
    result = CliRunner().invoke(app, ["train", str(folder), "-o", str(tmp_path / "run"), "--minutes", "0"])
    assert result.exit_code != 0
    train_log = []
    train(folder, tmp_path / "run", small_settings(steps=1), TINY, warn=train_log.append)
    assert len(train_log) == 1
    assert "snare_broken.wav" in train_log[0]


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ on Windows")
def test_an_interrupt_leaves_a_run_that_can_go_on(small_corpus, tmp_path):
    program = "from ghostnote.bridge.cli.app import main; main()"
    command = [
        sys.executable,
        "-c",
        program,
        "train",
        str(small_corpus),
        "-o",
        str(tmp_path),
        "--minutes",
        "5",
        "--batch",
        "1",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    # The file is opened when interrupts are held back already.
    until((tmp_path / "metrics.csv").is_file, 240)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "Traceback" not in errors
    step = load_model(tmp_path)[1]["step"]
    assert step > 0
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.usefixtures("without_pictures")
def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_the_last_good_state(small_corpus, tmp_path):
    class Poisoned(Objective):
        def forward(self, batch, *drawn):
            losses = super().forward(batch, *drawn)
            return losses * float("nan") if torch.is_grad_enabled() and next(steps) > 4 else losses

    steps = itertools.count(1)
    settings = small_settings(steps=9, validate_every=2)
    with pytest.raises(TrainingError, match="step 5 comes to values that are not numbers"):
        train(small_corpus, tmp_path, settings, TINY, task=TrainingTask(objective=Poisoned))
    model, facts = load_model(tmp_path)
    assert facts["step"] == 4
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())
    train(small_corpus, tmp_path, settings, TINY)
    assert load_model(tmp_path)[1]["step"] == 9


def test_weights_that_are_not_numbers_are_not_saved(tmp_path):
    good = {"weight": torch.zeros(3)}
    save_model(tmp_path / WEIGHTS, good, TINY, {"step": 1})
    with pytest.raises(TrainingError, match="not numbers"):
        save_model(tmp_path / WEIGHTS, {"weight": torch.tensor([0.0, torch.nan])}, TINY, {"step": 2})
    assert read_tensors(tmp_path / WEIGHTS)[1]["step"] == 1


@pytest.mark.usefixtures("without_pictures")
def test_a_damaged_or_missing_state_gives_way_to_the_one_before(small_corpus, tmp_path):
    train(small_corpus, tmp_path, small_settings(steps=4, validate_every=2), TINY)
    for spoil in (lambda path: path.write_bytes(path.read_bytes()[:500]), Path.unlink):
        spoil(tmp_path / STATE)
        assert read_generation(tmp_path / STATE)[1]["step"] == 2
    steps = []
    train(small_corpus, tmp_path, small_settings(steps=5), TINY, report=lambda progress: steps.append(progress.step))
    assert steps == [3, 4, 5]


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_while_saving_is_our_own_error_and_leaves_the_last_state(small_corpus, tmp_path):
    resource = pytest.importorskip("resource")
    settings = small_settings(steps=3, validate_every=2)

    def fill(progress):
        if progress.step == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(OutputError, match="safetensors"):
            train(small_corpus, tmp_path, settings, TINY, report=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert read_tensors(tmp_path / STATE)[1]["step"] == 2
    assert load_model(tmp_path)[1]["step"] == 2


@pytest.mark.usefixtures("without_pictures")
def test_a_run_of_another_version_or_shape_is_named(small_corpus, tmp_path):
    train(small_corpus, tmp_path, small_settings(steps=2), TINY)
    tensors, facts = read_tensors(tmp_path / STATE)
    renamed = {name.replace("model.", "model.old_"): tensor for name, tensor in tensors.items()}
    write_tensors(tmp_path / STATE, renamed, facts)
    with pytest.raises(ModelError, match=r"state\.safetensors does not fit this model"):
        train(small_corpus, tmp_path, small_settings(steps=4), TINY)
    tensors, facts = read_tensors(tmp_path / WEIGHTS)
    write_tensors(tmp_path / WEIGHTS, {f"old.{name}": tensor for name, tensor in tensors.items()}, facts)
    with pytest.raises(ModelError, match=r"model\.safetensors does not fit this model"):
        load_model(tmp_path)
    first = save({"old": torch.zeros(1)}, {"format": "ghostnote-weights-1", "facts": "{}"})
    (tmp_path / WEIGHTS).write_bytes(first)
    with pytest.raises(ModelError, match=r"of another version of ghostnote \(ghostnote-weights-1\): train anew"):
        load_model(tmp_path)


@pytest.mark.usefixtures("without_pictures")
def test_two_good_hits_and_a_silent_one_train(tmp_path):
    folder = tmp_path / "hits"
    folder.mkdir()
    for name, level in (("kick", 0.5), ("snare", 0.5), ("tom", 0.0)):
        tone = level * np.sin(np.arange(20_000) / 30) * np.exp(-np.arange(20_000) / 3000)
        write_audio(folder / f"{name}.wav", tone[None].astype(np.float32), 44_100)
    said = []
    train(folder, tmp_path / "run", small_settings(steps=2), TINY, warn=said.append)
    assert load_model(tmp_path / "run")[1]["step"] == 2
    assert len(said) == 1
    assert "tom.wav is left out: it is silent" in said[0]

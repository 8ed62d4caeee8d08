import csv
from pathlib import Path

import pytest
import torch
from tiny import TINY, small_settings
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import InputError
from ghostnote.models.nets.checkpoint import WEIGHTS, load_model, save_model
from ghostnote.models.train.distill import DistillSettings, distill, folder_of, make_stages
from ghostnote.models.train.loop import load_training_data, measured_model
from ghostnote.models.train.trainer import TrainSettings

QUICK = DistillSettings(steps=(2, 1), teacher_steps=4)


@pytest.fixture(scope="module")
def teacher(small_corpus, tmp_path_factory):
    """Return a run whose v is not zero."""
    run = tmp_path_factory.mktemp("teacher")
    model = measured_model(load_training_data(small_corpus, torch.device("cpu"), print).train, TINY)
    torch.nn.init.normal_(model.sound.out.weight, std=0.1)
    save_model(run / WEIGHTS, model.state_dict(), TINY, {"credits": ["a drummer"], "step": 2})
    return run


@pytest.fixture
def without_pictures(monkeypatch):
    """Leave the grids of new hits to the one test that asks for them."""
    monkeypatch.setattr("ghostnote.models.train.trainer.write_preview", lambda *args, **options: None)


def weights(run):
    return load_model(run)[0].state_dict()


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize("method", ["progressive", "energy"])
def test_each_student_is_saved_and_only_its_sound_network_has_learnt(small_corpus, teacher, tmp_path, method):
    reports = []
    settings = DistillSettings((2, 1), method, teacher_steps=4)
    distill(
        small_corpus,
        teacher,
        tmp_path,
        settings,
        small_settings(steps=4, validation_examples=4),
        report=lambda steps, progress: reports.append(steps),
    )
    assert reports == [2] * 2 + [1] * 2
    before = weights(teacher)
    for steps in (2, 1):
        after, facts = weights(folder_of(tmp_path, steps)), load_model(folder_of(tmp_path, steps))[1]
        assert facts["credits"] == load_model(teacher)[1]["credits"]
        assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("shape"))
        assert not torch.equal(before["sound.out.weight"], after["sound.out.weight"])


@pytest.mark.usefixtures("without_pictures")
def test_a_student_comes_nearer_to_its_teacher(small_corpus, teacher, tmp_path):
    settings = DistillSettings((1,), guidance=2.0, teacher_steps=4)
    training = small_settings(steps=16, learning_rate=3e-3, validate_every=4, draws=16, validation_examples=8)
    distill(small_corpus, teacher, tmp_path, settings, training)
    rows = list(csv.DictReader((folder_of(tmp_path, 1) / "metrics.csv").open()))
    assert float(rows[-1]["validation_sound"]) < 0.9 * float(rows[0]["validation_sound"])


@pytest.mark.usefixtures("without_pictures")
def test_a_resumed_run_ends_as_an_unbroken_one(small_corpus, teacher, tmp_path):
    training = small_settings(steps=8, validate_every=2, validation_examples=4)
    distill(small_corpus, teacher, tmp_path / "whole", QUICK, training)

    class KilledError(Exception):
        pass

    def kill(at):
        def report(steps, progress):
            if (steps, progress.step) == at:
                raise KilledError

        return report

    for at in ((2, 3), (1, 1)):
        with pytest.raises(KilledError):
            distill(small_corpus, teacher, tmp_path / "broken", QUICK, training, report=kill(at))
    distill(small_corpus, teacher, tmp_path / "broken", QUICK, training)
    for steps in (2, 1):
        whole = weights(folder_of(tmp_path / "whole", steps))
        broken = weights(folder_of(tmp_path / "broken", steps))
        assert all(torch.equal(whole[name], broken[name]) for name in whole)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"steps": (4, 3)}, "not a chain"),
        ({"steps": ()}, "nothing"),
        ({"method": "alchemy"}, "progressive, energy"),
        ({"method": "energy", "guidance": 2.0}, "guidance of 2"),
    ],
)
def test_settings_that_do_not_go_together_are_named(changes, named):
    with pytest.raises(InputError, match=named):
        make_stages(DistillSettings(**changes))


def test_neither_steps_nor_minutes_is_an_error(small_corpus, teacher, tmp_path):
    with pytest.raises(InputError, match="--minutes"):
        distill(small_corpus, teacher, tmp_path, QUICK, TrainSettings())


def test_the_command_passes_on_its_options(monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr("ghostnote.models.train.distill.distill", lambda *args, **options: given.extend(args))
    command = ["distill", "teacher", "--data", "drums", "-o", str(tmp_path), "--steps", "2,1", "--minutes", "9"]
    result = CliRunner().invoke(app, [*command, "--teacher-steps", "8", "--guidance", "1.5", "--batch", "2"])
    assert result.exit_code == 0, result.output
    assert given[:4] == [Path("drums"), Path("teacher"), tmp_path, DistillSettings((2, 1), "progressive", 1.5, 8)]
    assert (given[4].minutes, given[4].batch) == (9, 2)
    assert str(folder_of(tmp_path, 1)) in result.stderr.replace("\n", "")


def test_the_command_wants_numbers_of_steps(small_corpus, teacher, tmp_path):
    command = ["distill", str(teacher), "--data", str(small_corpus), "-o", str(tmp_path), "--steps", "four"]
    with pytest.raises(InputError, match="4,2,1"):
        CliRunner().invoke(app, command, catch_exceptions=False)

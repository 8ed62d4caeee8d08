import csv

import pytest
import torch
from tiny import FACTS, TINY, small_settings
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import InputError
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.nets.checkpoint import WEIGHTS, load_model, save_model
from ghostnote.models.train.loop import load_training_data, measured_model
from ghostnote.models.train.shrink import SmallerNetwork, shrink

SMALL = SmallerNetwork((64, 64), 1, 4)


@pytest.fixture(scope="module")
def teacher(small_corpus, tmp_path_factory):
    """Return a run whose v is not zero."""
    run = tmp_path_factory.mktemp("teacher")
    model = measured_model(load_training_data(small_corpus, torch.device("cpu"), print).train, TINY)
    torch.nn.init.normal_(model.sound.out.weight, std=0.3, generator=torch.Generator().manual_seed(0))
    save_model(run / WEIGHTS, model.state_dict(), TINY, {"credits": ["a drummer"], "step": 2, **FACTS})
    return run


@pytest.fixture(scope="module")
def student(small_corpus, teacher, tmp_path_factory):
    run = tmp_path_factory.mktemp("student")
    settings = small_settings(steps=60, learning_rate=5e-3, validate_every=6, draws=60, validation_examples=9)
    shrink(small_corpus, teacher, run, SMALL, settings)
    return run


def test_a_smaller_network_comes_nearer_to_its_teacher(student):
    rows = list(csv.DictReader((student / "metrics.csv").open()))
    assert float(rows[-1]["validation_sound"]) < 0.9 * float(rows[0]["validation_sound"])


def test_all_but_the_sound_network_is_the_teachers(teacher, student):
    (large, known), (small, facts) = load_model(teacher), load_model(student)
    assert (small.settings.sound.channels, small.settings.sound.patch) == (SMALL.channels, SMALL.patch)
    before, after = large.state_dict(), small.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if not name.startswith("sound."))
    assert facts["credits"] == known["credits"]
    assert facts["partials"] == known["partials"]


def test_patches_see_each_frame_once():
    settings = TINY.sound
    plain = Cascade(TINY).sound
    assert plain._folded(torch.ones(1, settings.bands, 8)).shape == (1, settings.bands, 8)
    patched = SMALL.of(Cascade(TINY)).sound
    x = torch.randn(2, settings.bands, 16)
    folded = patched._folded(x)
    assert folded.shape == (2, 4 * settings.bands, 4)
    assert torch.equal(folded[:, :4, 1], x[:, 0, 4:8])
    assert torch.equal(patched._unfolded(folded), x)


@pytest.mark.parametrize(
    ("network", "named"),
    [
        (SmallerNetwork((60, 64, 64)), "divide by 8"),
        (SmallerNetwork((64, 96)), "heads of 64"),
        (SmallerNetwork((64,) * 10), "512 frames"),
        (SmallerNetwork(()), "nothing"),
    ],
)
def test_a_shape_that_cannot_be_is_named(network, named):
    with pytest.raises(InputError, match=named):
        network.of(Cascade(TINY))


def test_the_command_wants_numbers_of_channels(small_corpus, teacher, tmp_path):
    command = ["shrink", str(teacher), "--data", str(small_corpus), "-o", str(tmp_path), "--channels", "few"]
    with pytest.raises(InputError, match="64,96,128,192"):
        CliRunner().invoke(app, command, catch_exceptions=False)

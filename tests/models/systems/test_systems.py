"""What every system does: it trains, resumes, is saved and loaded, and samples hits of a class."""

import csv
from copy import deepcopy

import matplotlib.pyplot as plt
import pytest
import torch

from ghostnote.bridge.errors import InputError, ModelError
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.nets.checkpoint import STATE, read_generation
from ghostnote.models.systems.audio import decimate, interpolate, sample_hits
from ghostnote.models.systems.checkpoint import load_system
from ghostnote.models.systems.registry import SYSTEMS, make_system, read_settings
from ghostnote.models.train import system_run
from ghostnote.models.train.loop import load_training_data
from ghostnote.models.train.system_run import SystemRun, train_system
from ghostnote.models.train.training_run import RunSettings

TINY: dict[str, dict] = {
    "ddpm": {"decimation": 4, "front": "patch", "widths": (64,), "attention_levels": 1, "steps": 2},
    "waveform": {"decimation": 4, "front": "transform", "widths": (64,), "attention_levels": 1, "steps": 2},
    "wavegan": {"decimation": 4, "width": 2, "latent": 4},
    "wavenet": {"decimation": 4, "residual": 4, "skip": 4, "dilations": (1, 2), "window_frames": 64},
    "vqvae": {"decimation": 4, "widths": (4, 8, 8), "latent": 4, "codes": 8, "prior_width": 32, "prior_depth": 1},
    "transformer": {"width": 32, "depth": 1, "patch": 32, "steps": 2},
    "codec": {"decimation": 4, "widths": (4, 8, 8), "latent": 4, "unet": (8, 64, 64), "steps": 2},
}
"""Settings of each system that train in seconds."""
STEPS = RunSettings(steps=4, batch=4, warmup_steps=1, validate_every=2, validation_examples=4, preview_every=1000)


def test_a_lower_rate_keeps_what_lies_below_its_nyquist_frequency() -> None:
    time = torch.arange(HIT_FRAMES) / RATE
    window = torch.hann_window(HIT_FRAMES)
    low, high = (window * torch.sin(2 * torch.pi * hz * time) for hz in (1_000, 15_000))
    assert decimate(low[None], 2).shape == (1, HIT_FRAMES // 2)
    assert (interpolate(decimate(low[None], 2), 2)[0] - low).abs().max() < 1e-3
    assert decimate(high[None], 2).abs().max() < 5e-3


@pytest.fixture(scope="module")
def training_data(small_corpus):
    """Return that corpus, read once for all systems."""
    return load_training_data(small_corpus, torch.device("cpu"), warn=lambda message: None)


@pytest.fixture
def quick_run(training_data, monkeypatch) -> None:
    """Let runs share the corpus, and draw nothing: one test draws."""
    monkeypatch.setattr(system_run, "load_training_data", lambda data, device, warn: training_data)
    monkeypatch.setattr(SystemRun, "preview", lambda self, run: None)


def stopping(step):
    """Return a step that ends a run before its third."""

    def train_step(self):
        if self.step == 2:
            raise KeyboardInterrupt
        return step(self)

    return train_step


@pytest.mark.parametrize(
    ("minutes", "done", "share"), [(10, 0.0, 1 / 200), (10, 0.25, 0.5), (10, 0.5, 1), (1, 0.05, 1)]
)
def test_the_learning_rate_rises_over_a_twentieth_of_a_short_run(training_data, minutes, done, share) -> None:
    settings = RunSettings(minutes=minutes, batch=1, learning_rate=1.0)
    run = SystemRun(
        "wavegan", make_system("wavegan", TINY["wavegan"]), training_data.train, settings, torch.device("cpu")
    )
    run.add_seconds(60 * done)
    assert run.learning_rate() == pytest.approx(share, rel=0.02)


@pytest.mark.usefixtures("quick_run")
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_run_is_saved_resumed_and_sampled_from(name: str, tmp_path) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    train_system(tmp_path, whole, name, STEPS, TINY[name])
    with pytest.MonkeyPatch.context() as patch:
        # As if it were stopped after a step: the schedule is that of the whole run.
        patch.setattr(SystemRun, "train_step", stopping(SystemRun.train_step))
        with pytest.raises(KeyboardInterrupt):
            train_system(tmp_path, run, name, STEPS, TINY[name])
    assert read_generation(run / STATE)[1]["step"] == 2
    train_system(tmp_path, run, name, STEPS, TINY[name])
    expected, found = (read_generation(each / STATE)[0] for each in (whole, run))
    assert expected.keys() == found.keys()
    for key, tensor in expected.items():
        assert torch.equal(tensor, found[key]), key
    system, facts = load_system(run)
    assert facts["training"]["hits"] > 0
    label = torch.tensor([0, 3])
    hits = sample_hits(system, label, torch.Generator().manual_seed(5))
    assert hits.shape == (2, HIT_FRAMES)
    assert hits.isfinite().all()
    assert torch.equal(hits, sample_hits(system, label, torch.Generator().manual_seed(5)))
    assert not torch.equal(hits, sample_hits(system, label, torch.Generator().manual_seed(6)))


def test_a_run_draws_what_it_generates(small_corpus, tmp_path) -> None:
    name = next(iter(SYSTEMS))
    train_system(small_corpus, tmp_path / "run", name, STEPS, TINY[name])
    assert plt.imread(tmp_path / "run" / "preview.png").ndim == 3


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_stages_of_a_system_are_a_whole_run_and_own_what_they_train(name: str) -> None:
    system = make_system(name, TINY[name])
    stages = system.stages()
    assert sum(stage.share for stage in stages) == pytest.approx(1)
    own = {id(each) for each in system.parameters()}
    trained = {id(each) for stage in stages for update in stage.updates for each in update.parameters}
    assert trained == own


@pytest.mark.parametrize("name", SYSTEMS)
def test_losses_in_bf16_are_those_in_32_bits(name: str) -> None:
    """As graphics cards compute them; a processor emulates it."""
    torch.manual_seed(0)
    system, label = make_system(name, TINY[name]).train(), torch.tensor([0, 3])
    time = torch.arange(system.frames) / system.rate
    audio = (torch.exp(-8 * time) * torch.sin(2 * torch.pi * 220 * time)).expand(2, -1)
    # A loss moves what is averaged over batches, as codes are: each is of a system of its own.
    both = ([update for stage in each.stages() for update in stage.updates[-2:]] for each in (system, deepcopy(system)))
    for in_32_bits, update in zip(*both, strict=True):
        exact = in_32_bits.loss(audio, label, torch.Generator().manual_seed(0))
        with torch.autocast("cpu", torch.bfloat16):
            loss = update.loss(audio, label, torch.Generator().manual_seed(0))
        loss.backward()
        assert loss.item() == pytest.approx(exact.item(), rel=0.1, abs=0.1)


def test_what_is_no_system_is_said() -> None:
    with pytest.raises(InputError, match="'wavenot' is not a system: take one of"):
        make_system("wavenot")


@pytest.mark.parametrize(
    ("name", "settings"),
    [("wavegan", {"decimation": 3}), ("ddpm", {"decimation": 0}), ("codec", {"unet": (10, 10, 10)}),
     ("transformer", {"width": 100})],
)  # fmt: skip
def test_settings_that_no_network_can_have_are_said(name: str, settings: dict) -> None:
    with pytest.raises(InputError, match=f"these settings of {name} do not fit one another"):
        make_system(name, settings)


@pytest.mark.usefixtures("quick_run")
def test_each_stage_warms_up_and_its_losses_are_named(tmp_path) -> None:
    train_system(tmp_path, tmp_path / "run", "vqvae", STEPS, TINY["vqvae"])
    rows = list(csv.DictReader((tmp_path / "run" / "metrics.csv").open()))
    assert [(row["step"], row["of"]) for row in rows] == [("2", "autoencoder"), ("4", "prior")]
    assert read_generation(tmp_path / "run" / STATE)[0]["stages.began"].tolist() == [0, 3]


@pytest.mark.parametrize("name", SYSTEMS)
def test_settings_of_another_system_are_said(name: str) -> None:
    with pytest.raises(ModelError, match="do not fit"):
        make_system(name, {"unheard_of": 1})


def test_settings_are_read_as_what_they_are() -> None:
    read = read_settings("wavenet", ["dilations=1,2,4", "residual=8", "decimation=4"])
    assert read == {"dilations": (1, 2, 4), "residual": 8, "decimation": 4}
    assert make_system("wavenet", read).rate == 11_025
    assert read_settings("waveform", ["front=patch", "widths=8,16"]) == {"front": "patch", "widths": (8, 16)}


@pytest.mark.parametrize(
    ("text", "message"),
    [("front=patch", "wavenet has no 'front', but "), ("residual=wide", "'wide' is not like the default")],
)
def test_settings_that_are_none_are_said(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_settings("wavenet", [text])

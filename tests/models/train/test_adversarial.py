import itertools
import shutil

import pytest
import torch
from tiny import PARTIALS, TINY, small_settings
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import ModelError, TrainingError
from ghostnote.models.data.trial_set import load_split, make_trials
from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS
from ghostnote.models.dsp.lines import line_prominence
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, MDCT_FRAMES
from ghostnote.models.dsp.noise_shaping import line_power, spectral_gain_of, with_contrast
from ghostnote.models.nets.checkpoint import load_model
from ghostnote.models.nets.discriminators import Discriminators
from ghostnote.models.statistics.repeatability import COHERENCE_LIMIT, COMPONENTS, LATENT_SIZE, SPANS, shift_logit
from ghostnote.models.train.adversarial import FineTuner, FinetuneSettings
from ghostnote.models.train.finetune import finetune
from ghostnote.models.train.loop import train
from ghostnote.models.train.stroke_pairs import StrokePairs, decaying_noise

AMOUNTS = (1.0,) * (len(CLASS_NAMES) + 1)


@pytest.fixture(scope="module")
def run(small_corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(small_corpus, folder, small_settings(steps=2), TINY)
    return folder


STATISTICS = {
    "coherence_shift",
    "repeatability_bias",
    "principal_components",
    "spectral_contrast",
    "extent",
    "coherence_offset",
    "sparsity",
}


@pytest.mark.parametrize("network_rate", [0.0, 1e-3])
def test_fine_tuning_changes_the_statistics_and_where_wanted_the_sound_network(
    small_corpus, run, tmp_path, network_rate
):
    settings = FinetuneSettings(minutes=0.05, batch=4, steps=1, network_rate=network_rate, warmup_steps=1)
    finetune(small_corpus, run, tmp_path / "tuned", AMOUNTS, settings)
    before, (tuned, facts) = load_model(run)[0].state_dict(), load_model(tmp_path / "tuned")
    after = tuned.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved >= STATISTICS
    assert all(name.startswith("sound.") for name in moved - STATISTICS)
    assert bool(moved - STATISTICS) == bool(network_rate)
    assert all(after[name].isfinite().all() for name in moved)
    assert facts["finetuning"]["batch"] == 4
    assert facts["credits"] == ["ghostnote's drum synthesizer (CC0-1.0)"]


def make_tuner(model, corpus, **settings):
    trials = make_trials(load_split(corpus, "train"), 3, 2, 0)
    return FineTuner(model, AMOUNTS, PARTIALS, trials, FinetuneSettings(**settings))


def test_spectral_deviation_that_is_too_large_shrinks(small_corpus, run):
    model = load_model(run)[0]
    model.principal_components *= 6
    initial = model.principal_components.clone()
    tuner = make_tuner(model, small_corpus, batch=8, steps=0, statistics_rate=0.03, network_rate=0.0, warmup_steps=10)
    for _ in range(40):
        tuner.take_step()
    assert tuner.statistics.log_gain.mean() < -0.05
    assert torch.equal(model.principal_components, initial)


def test_without_a_reference_the_network_is_anchored(small_corpus, run):
    model = load_model(run)[0]
    tuner = make_tuner(model, small_corpus, batch=2)
    assert float(tuner._anchor_loss().detach()) == 0
    with torch.no_grad():
        model.sound.out.weight.add_(0.1)
    assert float(tuner._anchor_loss().detach()) > 0


def test_noise_to_learn_on_decays_and_has_no_lines():
    noises = decaying_noise(32, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert noises.shape == (32, HIT_FRAMES)
    peaks = noises.abs().amax(1)
    assert 0.007 <= float(peaks.min()) < 0.05 < 0.3 < float(peaks.max()) <= 0.7
    assert (noises[:, -2000:].std(1) < 0.2 * noises[:, :2000].std(1)).all()
    prominence = line_prominence(noises)
    assert float(prominence[~prominence.isnan()].median()) < 12


def test_strokes_of_another_kind_are_farther_and_discriminators_learn_to_distinguish_them():
    generator = torch.Generator().manual_seed(0)
    real, same, other = (torch.randn(40, 24, generator=generator) + shift for shift in (0.0, 0.0, 2.0))
    discriminators = Discriminators(real, generator)
    real, same, other = map(discriminators.scaled, (real, same, other))
    assert discriminators.distance(other, real) > discriminators.distance(same, real) + 0.1
    for _ in range(40):
        discriminators.learn(real, other)
    assert (discriminators.verdicts(other) < 0).float().mean() > 0.8
    assert (discriminators.verdicts(real) > 0).float().mean() > 0.8


def test_pairs_are_drawn_from_the_drums_of_one_fold(small_corpus):
    trials = make_trials(load_split(small_corpus, "train"), 3, 2, 0)
    pairs = StrokePairs(trials, torch.Generator().manual_seed(0), torch.device("cpu"))
    audio, labels, fold = pairs.draw(6)
    assert audio.shape == (6, 3, HIT_FRAMES)
    hits = torch.stack([audio[:, 0] + audio[:, 1], audio[:, 2]])
    assert hits.abs().amax() == pytest.approx(0.7)
    of_fold = {int(pairs.hits.labels[hit]) for group in fold.groups for hit in pairs.hits.groups[group]}
    assert set(labels.tolist()) <= of_fold


def test_the_shared_latent_changes_coherence_and_spectral_deviation(run):
    model = load_model(run)[0]
    variation_latent = torch.randn(2, LATENT_SIZE, generator=torch.Generator().manual_seed(0))
    variation_latent[1, :COMPONENTS] = variation_latent[0, :COMPONENTS]
    coherence, deviation = torch.full((2, GROUPS, SEGMENTS), 0.5), torch.ones(2, GROUPS)
    sparsity = torch.full((2, GROUPS, SPANS), -0.5)
    alike = (model.offset_coherence(coherence, variation_latent), model.deviation_db_of(variation_latent, deviation))
    assert all(torch.allclose(x[0], x[1]) for x in alike)
    for table in (model.extent, model.coherence_offset, model.sparsity):
        table.fill_(0.3)
    apart = (
        model.offset_coherence(coherence, variation_latent),
        model.deviation_db_of(variation_latent, deviation),
        model.sparsity_of(sparsity, variation_latent, torch.ones(2)),
    )
    assert all(torch.any(x[0] != x[1]) for x in apart)
    assert torch.equal(model.sparsity_of(sparsity, variation_latent, torch.zeros(2)), sparsity)


def test_an_interrupted_fine_tuning_keeps_what_it_reached(small_corpus, run, tmp_path):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(
            small_corpus, run, tmp_path / "tuned", AMOUNTS, FinetuneSettings(minutes=1, batch=2, steps=0), report=stop
        )
    assert load_model(tmp_path / "tuned")[1]["finetuning"]["minutes"] == 1


def test_the_command_says_what_is_missing(tmp_path):
    said = CliRunner().invoke(app, ["finetune", str(tmp_path), "-d", str(tmp_path), "-o", str(tmp_path / "x")])
    assert isinstance(said.exception, ModelError)
    assert "ghostnote train" in str(said.exception)
    assert not (tmp_path / "x").exists()


def test_more_spectral_contrast_keeps_the_power_and_raises_the_lines():
    rng = torch.Generator().manual_seed(0)
    q = torch.randn(2, BANDS, MDCT_FRAMES, generator=rng) + 3 * torch.cos(torch.arange(MDCT_FRAMES) * 0.7)
    gain = spectral_gain_of(line_power(q), torch.ones(2))
    assert torch.allclose(with_contrast(gain, torch.zeros(GROUPS)), gain, rtol=1e-2, atol=1e-3)
    sharp = with_contrast(gain, torch.full((GROUPS,), 0.5))
    assert torch.allclose(sharp[:, 0].square().mean(1), torch.ones(2), rtol=1e-2)
    assert torch.all(sharp.amax(2) > 1.05 * gain.amax(2))
    assert torch.all(sharp.mean(2) < 0.8 * gain.mean(2))


def test_a_shifted_coherence_stays_one():
    coherence = torch.linspace(0, COHERENCE_LIMIT, 9)[:, None, None].expand(-1, GROUPS, SEGMENTS)
    same, more = (shift_logit(coherence, torch.full((GROUPS, SEGMENTS), shift)) for shift in (0.0, 1.0))
    assert torch.allclose(same, coherence, atol=2e-3)
    assert torch.all(more >= same - 1e-6)
    assert more.max() <= COHERENCE_LIMIT


def test_files_that_are_left_out_of_fine_tuning_are_named_once_and_printed_escaped(small_corpus, run, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(small_corpus, data)
    with (data / "manifest.csv").open("a") as manifest:
        manifest.write("evil\x1b[2J.wav,snare\n")
    (data / "evil\x1b[2J.wav").write_bytes(b"no sound")
    said = []

    def stop(progress):
        raise KeyboardInterrupt

    settings = FinetuneSettings(minutes=1, batch=2, steps=0)
    with pytest.raises(KeyboardInterrupt):
        finetune(data, run, tmp_path / "tuned", AMOUNTS, settings, report=stop, warn=said.append)
    assert len(said) == 1
    assert r"evil\x1b[2J.wav is left out: it " in said[0]


def test_fine_tuning_stops_at_a_value_that_is_not_a_number_and_keeps_the_last_good_state(
    small_corpus, run, tmp_path, monkeypatch
):
    distance, steps = Discriminators.distance, itertools.count(1)

    def poisoned(self, *features):
        return distance(self, *features) * (float("nan") if next(steps) > 2 else 1.0)

    monkeypatch.setattr(Discriminators, "distance", poisoned)
    settings = FinetuneSettings(minutes=10, batch=4, steps=1, warmup_steps=1)
    with pytest.raises(TrainingError, match="step 4 comes to values that are not numbers"):
        finetune(small_corpus, run, tmp_path / "tuned", AMOUNTS, settings)
    model, _ = load_model(tmp_path / "tuned")
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())

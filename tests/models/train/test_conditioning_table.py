"""The comparison of four ways to condition the transformer."""

import json

import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from ghostnote.bridge.errors import InputError
from ghostnote.models.nets.diffusion_transformer import CONDITIONS
from ghostnote.models.systems.transformer import Transformer, TransformerSettings
from ghostnote.models.train import conditioning_table as conditioning
from ghostnote.models.train.conditioning_table import (
    ConditioningRow,
    compare_conditions,
    conditioning_table,
    forward_gflop,
    validation_losses,
)
from ghostnote.models.train.loop import TrainProgress, load_training_data
from ghostnote.models.train.system_run import SystemRun
from ghostnote.models.train.training_run import RunSettings

APP = Typer()
APP.command()(conditioning.main)
ROWS = [
    ConditioningRow("adaln", 4_250_000, 0.8, 100, 15.0, 0.4, 0.01, 0.0, 0.0, 0.02),
    ConditioningRow("cross", 3_000_000, 0.9, 90, 15.0, 0.3, 0.01, 0.1, 0.001, 0.03),
]
SHAPE = {"width": 32, "depth": 1, "patch": 32, "steps": 2}


@pytest.fixture(scope="module")
def corpus(small_corpus):
    return load_training_data(small_corpus, torch.device("cpu"), warn=lambda message: None)


@pytest.fixture(scope="module")
def rows(corpus, tmp_path_factory) -> list[ConditioningRow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemRun, "preview", lambda self, run: None)
        folder = tmp_path_factory.mktemp("conditioning")
        settings = RunSettings(batch=4, warmup_steps=1, learning_rate=3e-3, validation_examples=4)
        return compare_conditions(corpus, folder, settings, teraflop=0.001, network=SHAPE, batches=4)


def test_each_way_gets_equal_compute(rows) -> None:
    assert [row.condition for row in rows] == list(CONDITIONS)
    for row in rows:
        assert row.steps == max(1, round(1 / (3 * row.gflop * 4)))
        assert row.steps > 5
        assert row.minutes > 0


def test_the_best_way_is_above_itself_by_nothing(rows) -> None:
    best = min(rows, key=lambda row: row.loss)
    assert (best.above_best, best.above_best_error) == (0, 0)
    for row in rows:
        assert row.above_best == pytest.approx(row.loss - best.loss, abs=1e-6)
        # Of unit variance are the hits of the train split; those of the other differ.
        assert 0 < row.loss < 2
        assert row.loss_error > 0


def test_losses_are_of_the_same_draws_each_time_and_half_the_noise_where_hits_are_silent(corpus) -> None:
    torch.manual_seed(0)
    system = Transformer(TransformerSettings(**SHAPE)).eval()
    first, again = (validation_losses(system, corpus.valid, 3) for _ in range(2))
    assert torch.equal(first, again)
    assert len(set(first.tolist())) == 3
    system.scale.learn(torch.zeros(1, 64, 512))
    system.scale.square.fill_(1e6)
    # Hits are as good as silent now: v is alpha·eps, whose mean square over even times is 1/2.
    assert validation_losses(system, corpus.valid, 8).mean().item() == pytest.approx(0.5, abs=0.05)


def test_the_products_are_those_of_the_layers() -> None:
    system = Transformer(TransformerSettings(**SHAPE)).eval()
    tokens, width, features = 16, 32, 64 * 32
    linear = tokens * (3 * features * width + 12 * width * width) + 2 * width * width + 8 * width * width
    attention = 2 * tokens * tokens * width
    assert forward_gflop(system) == pytest.approx(2 * (linear + attention) / 1e9, rel=0.02)


def test_the_products_of_attention_are_counted() -> None:
    short, long = (Transformer(TransformerSettings(**{**SHAPE, "depth": depth, "patch": 1})).eval() for depth in (1, 2))
    tokens, width = 512, 32
    block = tokens * 12 * width * width + 6 * width * width + 2 * tokens * tokens * width
    assert forward_gflop(long) - forward_gflop(short) == pytest.approx(2 * block / 1e9, rel=0.02)


def test_the_table_has_the_best_first() -> None:
    lines = conditioning_table(ROWS)
    assert "cross" in lines[2]
    assert "4.25 M" in lines[3]


def test_the_command_prints_the_table_and_writes_it(monkeypatch, tmp_path) -> None:
    asked = []

    def compare(corpus, folder, settings, *, teraflop, report) -> list[ConditioningRow]:
        asked.append((folder, settings.minutes, settings.steps, teraflop))
        report("cross", TrainProgress(1, 0.5, 0.4, 10.0))
        return ROWS

    monkeypatch.setattr(conditioning, "load_training_data", lambda data, device, warn: None)
    monkeypatch.setattr(conditioning, "compare_conditions", compare)
    result = CliRunner().invoke(APP, [str(tmp_path), "-o", str(tmp_path), "--minutes", "15"])
    assert result.exit_code == 0
    assert asked == [(tmp_path, 15.0, None, None)]
    assert result.stdout.rstrip() == (tmp_path / "conditioning.md").read_text().rstrip()
    assert [row["condition"] for row in json.loads((tmp_path / "conditioning.json").read_text())] == ["adaln", "cross"]


def test_one_batch_has_no_error(corpus, tmp_path) -> None:
    with pytest.raises(InputError, match="1 batches have no standard error"):
        compare_conditions(corpus, tmp_path, RunSettings(steps=1), batches=1)


@pytest.mark.parametrize("cost", [[], ["--steps", "1", "--minutes", "1"]])
def test_the_command_asks_for_one_budget(cost, tmp_path) -> None:
    result = CliRunner().invoke(APP, [str(tmp_path), "-o", str(tmp_path / "out"), *cost])
    assert isinstance(result.exception, InputError)
    assert "give one of --minutes, --steps and --teraflop" in str(result.exception)

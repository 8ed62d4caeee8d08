"""Systems beside one another: what real hits and one sound for all would score."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ghostnote.models.data.trial_set import load_split
from ghostnote.models.evaluate.hit_embedding import EmbeddingSettings
from ghostnote.models.evaluate.settings import QUICK
from ghostnote.models.evaluate.systems import JudgedSystem, Real, SystemJudge, systems_table

SETTINGS = replace(QUICK, new_per_class=4, draws=2, embedding=EmbeddingSettings(passes=1))


def silent(done: int, total: int) -> None:
    """Ignore progress."""


@pytest.fixture(scope="module")
def judge(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> SystemJudge:
    cache = tmp_path_factory.mktemp("cache") / "embedding.safetensors"
    return SystemJudge(Real(load_split(small_corpus, "all"), load_split(small_corpus, "all"), cache), SETTINGS, silent)


def test_copies_are_counted_and_one_sound_for_all_has_no_diversity(judge: SystemJudge) -> None:
    split = judge.real.split

    def copied(label: Tensor, seed: int) -> Tensor:
        return torch.stack([split.audio[split.labels == each][seed % 3] for each in label])

    def counted(audio: Tensor, label: Tensor) -> dict[str, float]:
        return {"hits": float(len(audio)), "peak": float(audio.abs().max())}

    copies, by_class = judge.judge(JudgedSystem("copies", copied, 5, 2.0, counted), silent)
    assert copies["nearest_training_hit"]["copies"] == copies["nearest_training_hit"]["hits"]
    assert copies["nearest_training_hit"]["distance_db"]["median"] == pytest.approx(0, abs=0.01)
    assert copies["parameters"] == 5
    assert by_class
    assert all(len(hits) == 4 for hits in by_class.values())
    noise = torch.randn(1, split.audio.shape[1], generator=torch.Generator().manual_seed(0))
    same, _ = judge.judge(JudgedSystem("noise", lambda label, seed: noise.expand(len(label), -1)), silent)
    assert same["diversity"] == pytest.approx(0, abs=0.01)
    assert same["distributions"]["model"]["frechet"] > copies["distributions"]["model"]["frechet"]
    report = {"about": {"split": "all", "hits": 1, "new_per_class": 4, "seed": 0}, "systems": [copies, same]}
    table = systems_table({**report, "real": judge.real_figures()})
    assert [row.split("|")[1].strip() for row in table.splitlines() if row.startswith("|")][2:] == [
        "copies",
        "noise",
        "real hits",
    ]
    assert f"\n\n- copies, on real hits: hits {min(64, len(split.audio))}.00, peak 0.90" in table
    assert "- noise, on real hits" not in table

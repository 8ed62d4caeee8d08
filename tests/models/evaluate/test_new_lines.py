import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES, label_of
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.data.trial_set import Hits
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.evaluate.new_lines import new_lines

SECONDS = torch.arange(2 * HIT_FRAMES) / RATE


def ring(low_hz: float, partials: int, decay: float, frames: int = HIT_FRAMES, seed: int = 0) -> Tensor:
    lines = sum(torch.sin(2 * math.pi * (low_hz + 313 * k) * SECONDS) for k in range(partials))
    noise = torch.randn(len(SECONDS), generator=torch.Generator().manual_seed(seed))
    return ((lines / partials + 0.01 * noise) * torch.exp(-decay * SECONDS))[:frames]


def corpus(tones: list[Tensor], groups: list[str]) -> Hits:
    files = tuple(HitFile(Path(f"{i}.wav"), "ride", g, "rr", "", None, "train", "") for i, g in enumerate(groups))
    return Hits(torch.stack(tones), files, torch.full((len(tones),), label_of("ride")))


def sounds(rides: list[Tensor]) -> dict[str, Tensor]:
    return {name: torch.stack(rides) if name == "ride" else torch.zeros(0, HIT_FRAMES) for name in CLASS_NAMES}


def test_new_drums_have_the_partials_and_the_decay_that_they_were_given() -> None:
    real = corpus([ring(200.0 + 10 * i, 20, 6.0, seed=i) for i in range(4)], ["a", "b", "c", "d"])
    made = sounds([ring(220.0 + 10 * i, 8, 3.0, 2 * HIT_FRAMES, i) for i in range(5)])
    found = new_lines(made, [real])
    assert set(found) == {"ride"}
    model, own = found["ride"]["model"], found["ride"]["corpus"]
    assert (own["partials"]["value"], model["partials"]["value"]) == (20, 8)
    assert own["persistence"]["value"] == model["persistence"]["value"] == 1
    # 20·log10(e) dB a neper; a drum of 1.5 s is looked at to its end.
    assert model["decay"]["value"] == pytest.approx(3 * 8.686, rel=0.05)
    assert model["t60"]["value"] == pytest.approx(60 / (3 * 8.686), rel=0.05)
    assert model["length"]["value"] == pytest.approx(2 * HIT_FRAMES / RATE, abs=0.02)
    assert model["gated"]["value"] == 1
    assert model["pitch_deviation"]["value"] < 3


def test_one_hit_counts_for_each_drum_of_the_corpus() -> None:
    steady, soft = ring(200.0, 20, 3.0), 0.1 * ring(200.0, 3, 3.0)
    found = new_lines(sounds([steady, steady]), [corpus([soft, steady, soft, soft, steady], ["a", "a", "b", "a", "b"])])
    assert found["ride"]["corpus"]["partials"]["groups"] == 2
    assert found["ride"]["corpus"]["partials"]["value"] == 20


def test_seeds_that_all_give_one_drum_have_no_diversity() -> None:
    real = corpus([ring(200.0 + 90 * i, 5, 3.0) for i in range(3)], ["a", "b", "c"])
    found = new_lines(sounds([ring(300.0, 5, 3.0)] * 4), [real])["ride"]
    assert found["model"]["diversity"]["value"] == pytest.approx(0, abs=1e-6)
    assert found["corpus"]["diversity"]["value"] > 1

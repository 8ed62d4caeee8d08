import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ghostnote.bridge.drums import label_of
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.data.trial_set import Hits, TrialSet
from ghostnote.models.data.trials import Trial
from ghostnote.models.dsp.lines import NO_LINE_DB
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.evaluate.settings import QUICK
from ghostnote.models.evaluate.stroke_lines import (
    BANDS,
    RIPPLE,
    SPURIOUS,
    SPURIOUS_SHARES,
    amount_curve,
    every_drum,
    lines_beside_real,
    lines_beside_references,
)

SECONDS = torch.arange(HIT_FRAMES) / RATE
CURVE = replace(QUICK, curve=(0.0, 0.01, 0.5, 1.0))


def sine(hz: float, level_db: float = 0.0) -> Tensor:
    return 0.5 * 10 ** (level_db / 20) * torch.sin(2 * math.pi * hz * SECONDS) * torch.exp(-3 * SECONDS)


def noise(seed: int, level_db: float = -30.0) -> Tensor:
    draws = torch.randn(HIT_FRAMES, generator=torch.Generator().manual_seed(seed))
    return 0.5 * 10 ** (level_db / 20) * draws * torch.exp(-3 * SECONDS)


def hits_of(sounds: Sequence[tuple[str, str, Tensor]]) -> Hits:
    files = tuple(
        HitFile(Path(f"{group} {i}.wav"), name, group, "single", "", None, "test", "")
        for i, (name, group, _) in enumerate(sounds)
    )
    labels = torch.tensor([label_of(name) for name, _, _ in sounds])
    return Hits(torch.stack([sound for _, _, sound in sounds]), files, labels)


class FakePlayer:
    """Plays each reference changed by a function of it and of the amount."""

    def __init__(self, change: Callable[[Tensor, float], Tensor]) -> None:
        self.change = change

    def variations(self, trials: TrialSet, *, rows: Any, amount: float = 1.0, **_: Any) -> Tensor:
        return torch.stack([self.change(trials.hits.audio[trials.trials[i].reference], amount) for i, _ in rows])


def player(change: Callable[[Tensor, float], Tensor]) -> Any:
    return FakePlayer(change)


@pytest.fixture
def drums() -> TrialSet:
    cowbells = [("perc", f"cowbell {i}", sine(464.0 + i) + noise(i, -50)) for i in range(3)]
    return every_drum(hits_of([*cowbells, ("snare", "a snare", noise(9, 0))]), 2)


def test_every_drum_is_there_with_its_loudest_hit_and_some_softer_ones() -> None:
    sounds = [("tom", "tom", sine(100.0, level)) for level in (-3.0, 0.0, -20.0, -9.0)]
    hits = hits_of([*sounds, ("kick", "kick", sine(50.0))])
    for count, tom in ((1, [1]), (2, [1, 3]), (9, [2, 3, 0, 1])):
        found = every_drum(hits, count)
        assert sorted(t.reference for t in found.trials if t.group == "tom") == sorted(tom)
        assert [t.reference for t in found.trials if t.group == "kick"] == [4]
    assert found.class_of == {"tom": "tom", "kick": "kick"}


def test_strokes_that_are_their_reference_differ_in_no_line(drums: TrialSet) -> None:
    found = lines_beside_references(player(lambda x, _: x.clone()), drums, None, lambda *_: None)
    for name in (BANDS[0], RIPPLE):
        assert found[name]["difference"]["perc"]["value"] == 0
    assert found[SPURIOUS]["model"]["all"]["value"] == NO_LINE_DB
    assert found[SPURIOUS]["model"]["perc"]["groups"] == 3
    # Noise has no main partial whose ripple could be measured.
    assert found[RIPPLE]["reference"]["snare"]["groups"] == 0


def test_a_tone_that_strokes_add_is_reported_for_each_hit(drums: TrialSet) -> None:
    found = lines_beside_references(player(lambda x, _: x + sine(225.0, -20.0)), drums, None, lambda *_: None)
    assert found[SPURIOUS]["model"]["perc"]["value"] == pytest.approx(-20, abs=1)
    cowbell = next(hit for hit in found["hits"] if hit["file"].startswith("cowbell 0"))
    assert cowbell["class"] == "perc"
    assert cowbell["model"]["spurious_hz"] == pytest.approx(225, abs=3)
    assert cowbell["reference"]["spurious_hz"] is None


def test_strokes_are_compared_with_the_real_ones_and_not_with_the_reference() -> None:
    hits = hits_of([("perc", "cowbell", sine(1000.0) + noise(i, level)) for i, level in enumerate((-60.0, -30.0))])
    trials = TrialSet(hits, (), (Trial("cowbell", "perc", 0, (1,), (0, 1)),))
    wobble = 10 ** (0.5 * math.sqrt(2) * torch.sin(2 * math.pi * 5 * SECONDS) / 20)
    made = (sine(1000.0) * wobble + noise(2, -30))[None]
    found = lines_beside_real({"real": trials.real, "model": made}, trials)
    assert found[BANDS[1]]["reference"]["all"]["value"] > found[BANDS[1]]["real"]["all"]["value"] + 15
    assert found[BANDS[1]]["difference"]["all"]["value"] == pytest.approx(0, abs=4)
    assert found[RIPPLE]["difference"]["all"]["value"] == pytest.approx(0.5, abs=0.1)
    assert found[SPURIOUS]["real"]["all"]["value"] == NO_LINE_DB


def test_the_share_of_strokes_with_spurious_lines_is_a_mean_over_drums() -> None:
    sounds = [("perc", f"cowbell {i}", sine(464.0 + i)) for i in (0, 1)] * 2
    hits = hits_of([*sounds, ("perc", "cowbell 0", sine(464.0))])
    rows = (Trial("cowbell 0", "perc", 0, (2, 4), (0, 2, 4)), Trial("cowbell 1", "perc", 1, (3,), (1, 3)))
    trials = TrialSet(hits, (), rows)
    added = torch.stack([sine(225.0, -20.0), sine(225.0, -60.0), sine(225.0, -20.0)])
    share = lines_beside_real({"real": trials.real, "model": trials.real + added}, trials)
    for name in SPURIOUS_SHARES.values():
        assert share[name]["real"]["all"]["value"] == 0
        assert share[name]["model"]["all"]["value"] == pytest.approx((1 / 2 + 1) / 2)


def brighter(x: Tensor, amount: float) -> Tensor:
    """Raise what lies above 2 kHz by 12 dB at amount 1."""
    spectrum = torch.fft.rfft(x)
    high = torch.arange(len(spectrum)) * (RATE / len(x)) > 2000
    return torch.fft.irfft(spectrum * 10 ** (12 * amount * high / 20), len(x))


def test_the_curve_of_a_steady_knob_is_a_line_and_a_cliff_departs_from_it() -> None:
    drums = every_drum(hits_of([("snare", f"snare {i}", noise(i, 0)) for i in range(3)]), 1)
    steady = amount_curve(player(brighter), drums, CURVE, lambda *_: None)
    assert steady["distance_db"]["snare"][0]["value"] < 1e-4
    assert steady["departure"]["snare"]["value"] < 0.1
    assert steady["correlation"]["snare"]["value"] > 0.999
    cliff = amount_curve(player(lambda x, a: brighter(x, float(a > 0))), drums, CURVE, lambda *_: None)
    assert cliff["departure"]["snare"]["value"] == pytest.approx(0.99, abs=1e-3)
    assert cliff["correlation"]["snare"]["value"] < 0.99


def test_the_curve_is_drawn_on_a_few_drums_of_each_class(drums: TrialSet) -> None:
    found = amount_curve(player(brighter), drums, replace(CURVE, curve_drums=2), lambda *_: None)
    assert found["departure"]["perc"]["groups"] == 2
    assert found["departure"]["snare"]["groups"] == 1

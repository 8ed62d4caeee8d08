from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ghostnote.bridge.errors import CorpusError
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.data.trial_set import Hits, make_trials
from ghostnote.models.data.trials import groups_of, trials_of
from ghostnote.models.evaluate.diversity import beside_real, by_group, diversity, over_groups, retrieval_accuracy

FILE = HitFile(Path("hit.wav"), "snare", "a", "rr", "1", None, "valid", "")


def layered(counts: dict[str, int], group: str = "a", kind: str = "rr") -> list[HitFile]:
    return [replace(FILE, group=group, group_kind=kind, layer=name) for name, n in counts.items() for _ in range(n)]


def test_round_robins_are_parted_by_layer_softest_first() -> None:
    files = [*layered({"loud": 2, "soft": 3}), *layered({"1": 1}, "single", "single")]
    groups = groups_of(files, [-3, -4, -20, -22, -21, 0])
    assert [g.name for g in groups] == ["a"]
    assert [sorted(layer) for layer in groups[0].layers] == [[2, 3, 4], [0, 1]]


def test_single_strokes_at_rising_level_are_parted_by_a_decibel() -> None:
    files = layered({str(i): 1 for i in range(5)}, kind="velocity")
    groups = groups_of(files, [-10.0, -9.5, -9.1, -4.0, -3.2])
    assert [sorted(layer) for layer in groups[0].layers] == [[0, 1, 2], [3, 4]]


def test_trials_spread_over_layers_and_never_ask_a_stroke_about_itself() -> None:
    files = [*layered({"1": 4, "2": 4, "3": 1}), *layered({"1": 1}, "b")]
    trials = trials_of(groups_of(files, [0.0] * len(files)), references=6, others=2)
    assert len(trials) == 6
    assert {t.group for t in trials} == {"a"}
    for trial in trials:
        assert len(trial.others) == 2
        assert trial.reference not in trial.others
        assert {files[i].layer for i in trial.others} == {files[trial.reference].layer}
    layers = [files[t.reference].layer for t in trials]
    assert layers.count("1") == layers.count("2") == 3
    assert trials == trials_of(groups_of(files, [0.0] * len(files)), references=6, others=2)


def hits_of(files: list[HitFile]) -> Hits:
    generator = torch.Generator().manual_seed(0)
    audio = torch.randn(len(files), 32768, generator=generator) * torch.exp(-torch.arange(32768) / 4000)
    return Hits(audio, tuple(files), torch.ones(len(files), dtype=torch.long))


def test_a_set_has_a_row_for_each_real_stroke() -> None:
    hits = hits_of([*layered({"1": 3}), *layered({"1": 3}, "b")])
    trials = make_trials(hits, references=2, others=2)
    assert len(trials.rows) == 8
    assert trials.references.shape == trials.real.shape == (8, 32768)
    first, number = trials.rows[1]
    assert torch.equal(trials.real[1], hits.audio[trials.trials[first].others[number]])
    assert trials.class_of == {"a": "snare", "b": "snare"}


def test_a_corpus_without_repeats_is_refused_with_the_way_to_name_them() -> None:
    with pytest.raises(CorpusError, match="rr1"):
        make_trials(hits_of([FILE, replace(FILE, group="b", group_kind="single")]), 2, 2)


def test_diversity_is_a_ratio_to_the_real_strokes_of_the_same_group() -> None:
    names = ("lmd", "lmd_low", "lmd_mid", "lmd_high", "lmd_attack", "lmd_later")
    names += ("centroid_percent", "t20_percent", "attack_db", "level_db", "onset_ms", "correlation")
    groups = ["a", "a", "b"]
    real = diversity({name: np.array([2.0, -2.0, 4.0]) for name in names}, groups)
    made = diversity({name: np.array([1.0, 1.0, 8.0]) for name in names}, groups)
    beside = beside_real(made, real)
    assert beside["lmd"] == {"a": 0.5, "b": 2.0}
    assert beside["correlation"] == {"a": 1.0, "b": 4.0}
    found = over_groups(beside["lmd"], {"a": "snare", "b": "tom"})
    assert found["all"]["value"] == 1.25
    assert found["tom"]["groups"] == 1


def test_nan_is_left_out_of_a_group() -> None:
    found = by_group(np.array([1.0, np.nan, np.nan]), ["a", "a", "b"])
    assert found["a"] == 1.0
    assert np.isnan(found["b"])


def test_a_variation_is_nearest_to_its_own_drum_unless_its_origin_alone_is_alike() -> None:
    hits = hits_of([*layered({"1": 2}), *layered({"1": 2}, "b")]).audio
    pair = torch.cat([hits[:1], hits[:1] * 0.9 + hits[1:2] * 0.1])
    hits = torch.cat([pair, hits[2:]])
    groups = ["a", "a", "b", "b"]
    assert retrieval_accuracy(hits[:1], [0], ["a"], hits, groups).tolist() == [1.0]
    assert retrieval_accuracy(hits[:1], [1], ["a"], hits, groups).tolist() == [1.0]
    assert retrieval_accuracy(hits[:1], [1], ["b"], hits, groups).tolist() == [0.0]

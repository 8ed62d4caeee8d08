"""Layers that are left out, and strokes of drums of which several are known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pedalboard.io import AudioFile

from ghostnote.bridge.inference.model import Generator
from ghostnote.models.data.left_out import left_out_layers
from ghostnote.models.data.synthetic.synthesizer import draw_drum, strike
from ghostnote.models.data.trials import Group
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.evaluate.distributions import bootstrap_ratio
from ghostnote.models.evaluate.layers import MANY, ONE, descriptor_change
from ghostnote.models.evaluate.report import render
from ghostnote.models.evaluate.run import EvaluationRequest, evaluate
from ghostnote.models.evaluate.settings import QUICK
from ghostnote.models.evaluate.targets import targets


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two drums, each with three layers of three strokes, some 10 dB apart."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["path,class,group,group_kind,layer,split"]
    for name in ("snare", "tom"):
        drum = draw_drum(name, 3, 1)
        for layer, velocity in enumerate((0.3, 0.6, 1.0)):
            for stroke in range(3):
                path = f"{name}_{layer}_{stroke}.wav"
                with AudioFile(str(folder / path), "w", 44100, 1) as file:
                    file.write(strike(drum, velocity, 3 * layer + stroke)[None] * 10 ** ((layer - 2) / 2))
                rows.append(f"{path},{name},{name},rr,{layer},valid")
    (folder / "manifest.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def report(corpus: Path, tiny_generator: Generator, tmp_path_factory: pytest.TempPathFactory) -> Any:
    request = EvaluationRequest(corpus, "valid", tmp_path_factory.mktemp("report"), layers=True)
    settings = replace(QUICK, steps=1, references=2, others=2)
    return evaluate(tiny_generator, request, settings, lambda name: lambda done, total: None)


def test_a_layer_is_left_out_with_those_nearer_than_6_db_and_two_must_be_known() -> None:
    levels = [-30.0, -20.0, -17.0, -10.0]
    group = Group("g", "snare", tuple((i,) for i in range(4)))
    found = {each.layer: each for each in left_out_layers([group], levels, 9)}
    assert {layer: each.known for layer, each in found.items()} == {0: (1, 2, 3), 1: (0, 3), 2: (0, 3), 3: (0, 1, 2)}
    assert {layer: each.between for layer, each in found.items()} == {0: False, 1: True, 2: True, 3: False}
    assert {layer: each.nearest for layer, each in found.items()} == {0: 1, 1: 0, 2: 3, 3: 2}
    assert left_out_layers([Group("g", "snare", ((0,), (3,)))], levels, 9) == ()
    assert {each.layer for each in left_out_layers([group], levels, 1)} == {0, 1}


def test_the_report_says_how_near_a_left_out_layer_strokes_come(report: Any) -> None:
    assert set(report) == {"layers", "known_strokes", "warnings", "about"}
    between, beyond = report["layers"]["between"], report["layers"]["beyond"]
    assert (between["layers"], beyond["layers"]) == (2, 4)
    for place in (between, beyond):
        assert place["distance_db"]["scaled"]["all"]["value"] > place["distance_db"]["floor"]["all"]["value"] > 0
        assert set(place["slopes"]) == set(place["interpolated_slopes"]) == {"centroid", "t20"}
    assert set(report["known_strokes"]) == {ONE, MANY}
    text = render(report)
    assert "## Left-out velocity layers" in text
    assert "Between layers" in text
    assert "## C2ST accuracy by the strokes that are known" in text
    remaining = between["remaining"]["all"]["value"]
    assert {t.name: t.value for t in targets(report)}["velocity between layers, remaining distance"] == remaining


def test_a_ratio_of_sums_weighs_drums_by_what_they_have_to_show() -> None:
    found = bootstrap_ratio([1.0, 2.0, 0.0], [2.0, 4.0, 0.0])
    assert (found.value, found.low, found.high, found.groups) == (0.5, 0.5, 0.5, 3)
    assert np.isnan(bootstrap_ratio([], []).value)


def test_a_descriptor_that_rises_evenly_with_level_is_interpolated_as_it_is() -> None:
    rng, frames = np.random.default_rng(0), np.arange(RATE // 4)
    # Three layers of four strokes, 10 dB apart: decays that are longer by the same factor from one to the next.
    decays = [20.0, 28.0, 39.2]
    hits = [
        rng.standard_normal(len(frames)) * np.exp(-decays[layer] * frames / RATE)
        for layer in (0, 1, 2)
        for _ in range(4)
    ]
    audio = torch.tensor(np.array([np.pad(hit, (0, HIT_FRAMES - len(hit))) for hit in hits]), dtype=torch.float32)
    group = Group("g", "snare", ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11)))
    levels = [-30.0] * 4 + [-20.0] * 4 + [-10.0] * 4
    middle = next(each for each in left_out_layers([group], levels, 9) if each.between)
    change = descriptor_change("t20_seconds", audio, middle, levels, audio[4:8])
    assert change.interpolated == pytest.approx(change.real_again, abs=0.05)
    assert change.made == pytest.approx(change.real_again, abs=0.05)
    assert abs(change.real) > 0.25

from pathlib import Path

import numpy as np
import pytest
import torch

from ghostnote.bridge.errors import InputError
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.data.trial_set import Hits
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.evaluate.distributions import Estimate
from ghostnote.models.evaluate.tools.extend import judge_extend
from ghostnote.models.evaluate.tools.morph import _one_set, _Pair, judge_transition
from ghostnote.models.evaluate.tools.rows import ToolRow, ToolSplit, share
from ghostnote.models.evaluate.tools.run import evaluate_tools, render_tools


def ring(hz: float, t60: float) -> np.ndarray:
    t = np.arange(HIT_FRAMES) / RATE
    noise = 0.01 * np.random.default_rng(round(hz)).standard_normal(len(t))
    return ((0.5 * np.sin(2 * np.pi * hz * t) + noise) * 10 ** (-3 * t / t60)).astype(np.float32)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> ToolSplit:
    sounds = {("tom", "a"): ring(90, 1.4), ("tom", "b"): ring(140, 1.0), ("perc", "c"): ring(400, 1.2)}
    sounds[("tom", "a ")] = 0.5 * sounds[("tom", "a")]
    files = tuple(
        HitFile(Path(f"{i}.wav"), kind, group.strip(), "rr", "", None, "test", "")
        for i, (kind, group) in enumerate(sounds)
    )
    audio = torch.from_numpy(np.stack(list(sounds.values())))
    folder = tmp_path_factory.mktemp("tools")
    return ToolSplit(Hits(audio, files, torch.zeros(len(files), dtype=torch.long)), None, folder)  # type: ignore[arg-type]


def test_one_loudest_hit_of_each_drum(split: ToolSplit):
    assert split.drums() == [2, 0, 1]
    assert split.drums(["perc"]) == [2]
    assert split.hit(2).shape == (1, HIT_FRAMES)


def test_extend_meets_its_target_where_the_decay_is_steady(split: ToolSplit):
    rows = {row.figure: row for row in judge_extend(split, lambda done, total: None)}
    step, rate = rows["step at the cut beside the fall before it, dB"], rows["decay rate off from before the cut, %"]
    assert step.met
    assert step.found.groups == 3
    assert rate.met
    assert rows["decay rate off from what was cut off, %"].found.value < 20
    assert (split.folder / "extend.png").stat().st_size > 10_000


def test_a_transition_begins_as_one_and_ends_as_the_other(split: ToolSplit):
    begins, ends, level = judge_transition(split, lambda done, total: None)
    assert begins.found.value == ends.found.value == level.found.value == 100


def test_rows_as_a_table():
    met = ToolRow("tweak", "own drum, %", share([True, True, True, False]), (70.0, 100.0), digits=0)
    missed = ToolRow("extend", "step, dB", Estimate(1.5, 1, 2, 9), (0.0, 1.0), Estimate(3, 2, 4, 9), "a loop")
    assert (met.met, missed.met, ToolRow("x", "y", share([True])).met) == (True, False, None)
    text = render_tools([met, missed], {"model": "m", "split": "test", "hits": 9, "seed": 0})
    lines = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
    assert ["", "tweak", "own drum, %", "75 [25, 100]", "4", "70 to 100", "met", "–", "", ""] in lines
    assert [
        "",
        "extend",
        "step, dB",
        "1.50 [1.00, 2.00]",
        "9",
        "0 to 1",
        "missed",
        "3.00 [2.00, 4.00]",
        "a loop",
        "",
    ] in lines


def test_a_name_that_is_no_tool(split: ToolSplit):
    with pytest.raises(InputError, match="'louder' is not a tool"):
        evaluate_tools(split, lambda name: lambda done, total: None, ["louder"])


@pytest.mark.parametrize(("low", "high", "found"), [(60.0, 180.0, (True, False)), (48.0, 60.0, None)])
def test_lines_that_a_window_cannot_tell_apart_say_nothing_of_one_set_of_partials(low, high, found):
    t = np.arange(32_768) / 44_100

    def ringing(*lines):
        return sum(np.sin(2 * np.pi * hz * t) * np.exp(-4 * t) for hz in lines).astype(np.float32)[None]

    ends = ringing(low), ringing(high)
    pair = _Pair([ends[0], ringing(np.sqrt(low * high)), ends[1]], [ends[0], ringing(low, high), ends[1]], ends[0])
    assert _one_set(pair) == found

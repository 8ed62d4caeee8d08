"""An evaluation swept over seeds and settings, with a stand-in for the evaluation itself."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.models.evaluate import sweep as module
from ghostnote.models.evaluate.run import EvaluationRequest
from ghostnote.models.evaluate.settings import QUICK, EvaluationSettings
from ghostnote.models.evaluate.sweep import SweepRow, evaluate_point, name_of, points_of, sweep, sweep_table

distributed = pytest.importorskip("distributed", reason="Dask is not installed")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[EvaluationSettings]:
    """Let an evaluation report its settings as a figure, and hold those that it was called with."""
    called: list[EvaluationSettings] = []

    def evaluate(model: Any, request: Any, settings: EvaluationSettings, stage: Any) -> dict[str, Any]:
        called.append(settings)
        value = settings.seed + 10 * (settings.steps or 0)
        return {"c2st": {"model": {"all": {"c2st_accuracy": {"all": {"value": value}}}}}}

    monkeypatch.setattr(module, "evaluate", evaluate)
    monkeypatch.setattr(module, "render", lambda report: "")
    monkeypatch.setattr(module.Generator, "open", lambda model: SimpleNamespace(checksum="one model"))
    return called


def test_points_are_all_combinations() -> None:
    points = points_of(["steps=1,2", "seed=0,1,2"])
    assert len(points) == 6
    assert points[4] == {"steps": 2, "seed": 1}
    assert name_of(points[4]) == "steps-2_seed-1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour=1", "'colour' is not one of seed, steps"),
        ("steps=1,two", "write whole numbers with commas, as steps=1,2,4"),
        ("references=0", "0 is less than 1"),
        ("seed=" + ",".join(map(str, range(1001))), "more than 1,000"),
    ],
)
def test_what_cannot_be_swept_is_said(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        points_of([text])


def test_every_point_is_evaluated_once_and_a_sweep_goes_on(calls: list[EvaluationSettings], tmp_path: Path) -> None:
    request = EvaluationRequest(tmp_path, "valid", tmp_path / "out")
    points = points_of(["steps=1,2", "seed=3,4"])
    with distributed.Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        rows = list(sweep(client, None, request, QUICK, points[:3]))
        assert [row.figures["C2ST accuracy"] for row in rows] == [13, 14, 23]
        rows = list(sweep(client, None, request, QUICK, points))
    assert [row.figures["C2ST accuracy"] for row in rows] == [13, 14, 23, 24]
    assert sorted((each.steps, each.seed) for each in calls) == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert all(each.references == QUICK.references for each in calls)
    with pytest.raises(InputError, match="of another model, corpus, split or size"):
        evaluate_point(None, replace(request, split="test"), QUICK, points[0])
    assert json.loads((tmp_path / "out" / "steps-2_seed-4" / "report.json").read_text())["c2st"]


def test_seeds_become_mean_and_deviation() -> None:
    points = points_of(["steps=1,2", "seed=0,1"])
    rows = [SweepRow(point, {"a": point["steps"] + point["seed"]}) for point in points]
    rows[-1] = SweepRow(points[-1], {})
    lines = sweep_table(rows, points).splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == ["figure", "steps 1", "steps 2"]
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["a", "1.500 ± 0.707", "2.000"]

"""An evaluation swept over seeds and settings, on a Dask cluster: one report each, and a table of all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
from ghostnote.models.evaluate.markdown import number, table
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.report import render
from ghostnote.models.evaluate.run import EvaluationRequest, evaluate
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.targets import targets

SWEPT: Final = (
    *("seed", "steps", "references", "others", "drum_hits", "curve_drums", "velocity_references"),
    *("layers_left_out", "new_per_class", "draws"),
)
"""Settings that a sweep takes, all of them whole numbers."""
REPORT: Final = "report.json"
_ORIGIN: Final = "evaluated.json"
"""What a report was made of, so that one of something else is not taken for it."""
_SEED: Final = "seed"
_MOST: Final = 1000

Point = Mapping[str, int]
"""A setting's value by its name."""


@dataclass(frozen=True)
class SweepRow:
    """What one evaluation of a sweep shows."""

    point: Point
    figures: Mapping[str, float]
    """By the name of the target."""


def points_of(sweeps: Sequence[str]) -> list[Point]:
    """Return all combinations of values of sweeps as "steps=1,2,4"; `InputError` for another form or setting."""
    values: dict[str, list[int]] = {}
    for sweep in sweeps:
        name, _, listed = sweep.partition("=")
        if name in values:
            raise InputError(f"--sweep {sweep}: {name} is swept twice; write all its values in one, as {name}=1,2,4")
        if name not in SWEPT:
            raise InputError(f"--sweep {sweep}: {name!r} is not one of {', '.join(SWEPT)}")
        try:
            values[name] = [int(value) for value in listed.split(",")]
        except ValueError as error:
            raise InputError(f"--sweep {sweep}: write whole numbers with commas, as {name}=1,2,4") from error
        if len(set(values[name])) < len(values[name]):
            raise InputError(f"--sweep {sweep}: one value is there twice; leave it out")
        least = 0 if name in (_SEED, "steps") else 1
        if min(values[name]) < least:
            raise InputError(f"--sweep {sweep}: {min(values[name])} is less than {least}")
    points: list[Point] = [dict(zip(values, each, strict=True)) for each in product(*values.values())]
    if len(points) > _MOST:
        raise InputError(f"{len(points)} evaluations are more than {_MOST:,}: sweep fewer values")
    return points


def name_of(point: Point) -> str:
    """Return the name of a point's folder, as steps-2_seed-0."""
    return "_".join(f"{name}-{value}" for name, value in point.items())


def sweep(
    client: Any, model: Path | None, request: EvaluationRequest, settings: EvaluationSettings, points: Sequence[Point]
) -> Iterator[SweepRow]:
    """Evaluate at every point on the workers of a Dask `client`; yield rows in the points' order.

    Reports go into folders of the request's, which all workers must see under the same path. Those that are there
    already are read: a sweep that was stopped goes on. `InputError` for one that is of another model, corpus or size.
    """
    where = replace(request, data=request.data.absolute(), output=request.output.absolute())
    futures = [
        client.submit(evaluate_point, model and model.absolute(), where, settings, point, pure=False)
        for point in points
    ]
    try:
        for future in futures:
            yield future.result()
    finally:
        client.cancel(futures)


def evaluate_point(
    model: Path | None, request: EvaluationRequest, settings: EvaluationSettings, point: Point
) -> SweepRow:
    """Return the figures at one point, from its report where there is one, else evaluated and written."""
    values: dict[str, Any] = dict(point)
    here, settings = replace(request, output=request.output / name_of(point)), replace(settings, **values)
    generator = Generator.open(model)
    asked = json.dumps([generator.checksum, str(here.data), here.split, here.layers, asdict(settings)])
    path, origin = here.output / REPORT, here.output / _ORIGIN
    if path.is_file() and (not origin.is_file() or origin.read_text("utf-8") != asked):
        raise InputError(f"{path} is of another model, corpus, split or size of evaluation: give another --output")
    if not path.is_file():
        prepare_folder(here.output)
        with _one_thread():
            report = evaluate(generator, here, settings, _silent_stage)
        write_bytes(here.output / "report.md", render(report).encode())
        write_bytes(origin, asked.encode())
        write_bytes(path, json.dumps(report, indent=1).encode())
    found = targets(json.loads(path.read_text("utf-8")))
    return SweepRow(point, {target.name: target.value for target in found})


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread for the length of the block: the tensors are small, more would wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _silent_stage(name: str) -> Tick:
    return lambda done, total: None


def sweep_table(rows: Sequence[SweepRow], points: Sequence[Point]) -> str:
    """Return a table with a column for each point but for the seeds, of which it has mean and standard deviation."""
    groups: dict[tuple[tuple[str, int], ...], list[SweepRow]] = {
        tuple((name, value) for name, value in point.items() if name != _SEED): [] for point in points
    }
    for row in rows:
        groups[tuple((name, value) for name, value in row.point.items() if name != _SEED)].append(row)
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    head = ("figure", *(", ".join(f"{name} {value}" for name, value in key) or "all" for key in groups))
    return "\n".join(table(head, [(name, *(_cell(group, name) for group in groups.values())) for name in names]))


def _cell(rows: Sequence[SweepRow], name: str) -> str:
    values = [row.figures[name] for row in rows if name in row.figures]
    if not values:
        return "–"
    deviation = f" ± {number(float(np.std(values, ddof=1)), 3)}" if len(values) > 1 else ""
    return f"{number(float(np.mean(values)), 3)}{deviation}"

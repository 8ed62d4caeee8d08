"""The four ways to condition the diffusion transformer, trained alike and compared by their losses on the valid split.

    python -m ghostnote.models.train.conditioning_table DATA -o FOLDER --minutes 15

Each way is a run in FOLDER, and goes on from where it was stopped. Equal minutes are equal compute on a machine that
has nothing else to do; `--teraflop` is equal compute on any. The losses of all ways have the same hits, times and
noise, so that their differences are known far better than the losses themselves. FOLDER/conditioning.md has the table.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import torch
import typer
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.models.data.dataset import HitSet, PairSampler
from ghostnote.models.dsp.mdct import to_peak
from ghostnote.models.evaluate.markdown import number, table
from ghostnote.models.nets.cascade import ANY_CLASS
from ghostnote.models.nets.diffusion_transformer import CONDITIONS
from ghostnote.models.program import run_program
from ghostnote.models.systems.checkpoint import load_system
from ghostnote.models.systems.registry import make_system
from ghostnote.models.systems.transformer import Transformer
from ghostnote.models.train.loop import TrainingData, TrainProgress, default_device, load_training_data
from ghostnote.models.train.system_run import train_system_on
from ghostnote.models.train.training_run import RunSettings

_SYSTEM: Final = "transformer"
_BATCH: Final = 32
_PASSES: Final = 3
"""Of a network's forward products: as many in training, with those of both gradients."""
_HEAD: Final = (
    *("condition", "parameters", "GFLOP a hit", "steps", "minutes", "loss", "± s.e.", "above the best", "± s.e."),
    "class withheld",
)

Report = Callable[[str, TrainProgress], None]
"""Receives the way that is trained and its progress."""


@dataclass(frozen=True)
class ConditioningRow:
    """What came of one way."""

    condition: str
    parameters: int
    gflop: float
    """Of one step for a whole hit, forward."""
    steps: int
    minutes: float
    loss: float
    """Mean squared error of v on the valid split; 1 is what a network has that knows nothing."""
    loss_error: float
    """Standard error, of the draws of hits, times and noise."""
    above_best: float
    """Mean difference from the best way's loss on the same draws."""
    above_best_error: float
    unlabelled: float
    """What the loss rises by where the class is withheld: how much the network makes of it."""


def compare_conditions(
    corpus: TrainingData,
    folder: Path,
    settings: RunSettings,
    *,
    teraflop: float | None = None,
    network: Mapping[str, Any] | None = None,
    batches: int = 32,
    report: Report = lambda condition, progress: None,
) -> list[ConditioningRow]:
    """Train each way on `corpus` for the settings' steps or minutes, into runs of `folder`; return a row for each.

    With `teraflop` (10¹² products and sums) the steps of each way are as many as these pay for, forward and backward,
    on whole hits: batches that are cut short cost less, in all ways alike.
    `network` has settings of all four that are not to be the system's own. Losses are over `batches` of 32 draws.
    """
    if batches < 2:
        raise InputError(f"{batches} batches have no standard error: give at least 2")
    losses, unlabelled, rows = [], [], []
    for condition in CONDITIONS:
        run, shape = folder / condition, {**(network or {}), "condition": condition}
        gflop = forward_gflop(_transformer(make_system(_SYSTEM, shape)))
        if teraflop is not None:
            steps = max(1, round(1e3 * teraflop / (_PASSES * gflop * settings.batch)))
            settings = replace(settings, steps=steps, minutes=None)
        train_system_on(corpus, run, _SYSTEM, settings, shape, partial(report, condition))
        system, facts = load_system(run)
        transformer = _transformer(system.to(corpus.device))
        losses.append(validation_losses(transformer, corpus.valid, batches))
        unlabelled.append(validation_losses(transformer, corpus.valid, batches, withheld=True))
        parameters = sum(each.numel() for each in system.parameters())
        rows.append((condition, parameters, gflop, facts["step"], facts["seconds"] / 60))
    best = min(losses, key=lambda each: float(each.mean()))
    return [
        ConditioningRow(*row, *_estimate(found), *_estimate(found - best), float((without - found).mean()))
        for row, found, without in zip(rows, losses, unlabelled, strict=True)
    ]


@torch.no_grad()
def validation_losses(system: Transformer, hits: HitSet, batches: int, *, withheld: bool = False) -> Tensor:
    """Return the losses (batches,) of draws of `hits`, the same in each call; without their classes if `withheld`."""
    generator = torch.Generator(hits.audio.device)
    sampler, losses = PairSampler(hits, 0.0, generator), []
    for seed in range(batches):
        generator.manual_seed(seed)
        target = sampler.draw(_BATCH)[0]
        label = torch.full_like(target, ANY_CLASS) if withheld else hits.labels[target]
        losses.append(system.loss(to_peak(hits.audio[target]), label, generator))
    return torch.stack(losses)


@torch.no_grad()
def forward_gflop(system: Transformer) -> float:
    """Return the products and sums, in 10⁹, of one step for a whole hit."""
    label = torch.zeros(1, dtype=torch.int64)
    noise = system.noise(label, torch.Generator().manual_seed(0))
    # The counter knows attention by its products only, not as one operation.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        system.predict(noise, torch.full((1,), 0.5), label)
    return float(counter.get_total_flops()) / 1e9


def conditioning_table(rows: Sequence[ConditioningRow]) -> list[str]:
    """Return the rows as a Markdown table, the best first."""
    cells = [
        (
            *(
                row.condition,
                f"{row.parameters / 1e6:.2f} M",
                number(row.gflop),
                str(row.steps),
                number(row.minutes, 1),
            ),
            *(number(value, 4) for value in (row.loss, row.loss_error, row.above_best, row.above_best_error)),
            number(row.unlabelled, 4),
        )
        for row in sorted(rows, key=lambda row: row.loss)
    ]
    return table(_HEAD, cells)


def write_conditioning(folder: Path, rows: Sequence[ConditioningRow]) -> None:
    """Write the table into `folder`, as conditioning.md and with all digits as conditioning.json."""
    write_bytes(folder / "conditioning.md", "\n".join(conditioning_table(rows)).encode())
    write_bytes(folder / "conditioning.json", json.dumps([asdict(row) for row in rows], indent=1).encode())


def _transformer(system: object) -> Transformer:
    """Return a system that is a transformer as one."""
    if not isinstance(system, Transformer):
        raise InputError(f"{type(system).__name__} is not a transformer: choose another folder")
    return system


def _estimate(values: Tensor) -> tuple[float, float]:
    """Return the mean of `values` (any,) and its standard error."""
    return float(values.mean()), float(values.std()) / math.sqrt(len(values))


def main(
    data: Annotated[Path, typer.Argument(help="Corpus: a folder with manifest.csv, or of hits by class.")],
    output: Annotated[Path, typer.Option("-o", help="Folder for the four runs and the table.")],
    minutes: Annotated[float | None, typer.Option(min=0, help="Training of each way.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Or optimiser steps of each.")] = None,
    teraflop: Annotated[float | None, typer.Option(min=0, help="Or 10¹² products and sums of each.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Hits a step.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and draws.")] = 0,
) -> None:
    """Train the four ways to condition the transformer alike, and print a table of their losses."""
    console = Console(stderr=True)
    if sum(each is not None for each in (minutes, steps, teraflop)) != 1:
        raise InputError("give one of --minutes, --steps and --teraflop: what each way may cost")
    corpus = load_training_data(data, default_device(), lambda why: console.print(f"warning: {why}", markup=False))
    settings = RunSettings(steps=steps, minutes=minutes, batch=batch, seed=seed)
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=console) as bar:
        tasks = {condition: bar.add_task(condition, total=1.0) for condition in CONDITIONS}
        rows = compare_conditions(
            corpus,
            output,
            settings,
            teraflop=teraflop,
            report=lambda condition, progress: bar.update(tasks[condition], completed=progress.done),
        )
    write_conditioning(output, rows)
    typer.echo("\n".join(conditioning_table(rows)))


if __name__ == "__main__":
    run_program(main)

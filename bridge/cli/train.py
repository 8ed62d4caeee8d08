"""`ghostnote train`, with its progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import train_options as options
from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.cli.terminal import say
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    from ghostnote.models.train.trainer import TrainSettings


def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder of drum hits, with or without a manifest.")],
    run: options.Run,
    minutes: options.Minutes = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Or for so many optimiser steps.")] = None,
    batch: options.BatchSize = 32,
    draws: options.Draws = 3,
    learning_rate: options.LearningRate = 5e-4,
    pairs: options.Pairs = 0.6,
    seed: options.Seed = 0,
    initial: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Start a new run from the weights of another.")
    ] = None,
    compiled: options.Compiled = False,
    preview_every: Annotated[int, typer.Option(min=1, help="Steps between grids of generated hits.")] = 2500,
    shapes_alone: Annotated[
        bool, typer.Option("--shapes-alone", help="Train only what new drums are drawn from, not strokes.")
    ] = False,
) -> None:
    """Train a model on a folder of drum hits; a run that was stopped resumes where it was."""
    options.check_run(run, initial)
    with needs_extra("train"):
        from ghostnote.models.train.trainer import TrainSettings

        settings = TrainSettings(
            steps=steps,
            minutes=minutes,
            batch=batch,
            draws=draws,
            learning_rate=learning_rate,
            pair_share=0.0 if shapes_alone else pairs,
            seed=seed,
            compile=compiled,
            preview_every=preview_every,
        )
        _run(data, run, settings, initial, shapes_alone)


def _run(data: Path, run: Path, settings: TrainSettings, initial: Path | None, shapes_alone: bool) -> None:
    """Train under a progress bar; files that are left out are named above it."""
    from rich.console import Console

    from ghostnote.bridge.cli.train_progress import run_bar
    from ghostnote.models.train.loop import train as train_run
    from ghostnote.models.train.shape_objective import SHAPES_ALONE
    from ghostnote.models.train.trainer import TrainingTask

    console = Console(stderr=True)
    left_out = []

    def warn(message: str) -> None:
        left_out.append(message)
        say(console, f"warning: {message}")

    task = SHAPES_ALONE if shapes_alone else TrainingTask()
    with run_bar(console, "sound", "shape") as report:
        train_run(data, run, settings, initial=initial, task=task, report=report, warn=warn)
    if left_out:
        console.print(f"{counted(len(left_out), 'file')} left out")
    say(console, f"{run}: trained; next: ghostnote export {run} -o my-drums.onnx")

"""`ghostnote shrink`, with its progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import train_options as options
from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.cli.terminal import say
from ghostnote.bridge.errors import InputError

if TYPE_CHECKING:
    from ghostnote.models.train.shrink import SmallerNetwork
    from ghostnote.models.train.trainer import TrainSettings


def shrink(
    teacher: options.Trained,
    data: options.Data,
    run: options.Run,
    channels: Annotated[
        str, typer.Option(metavar="N,N…", help="Channels of the smaller network, level by level.")
    ] = "64,96,128,192",
    blocks: Annotated[int, typer.Option(min=1, max=8, help="Residual blocks a level, each way.")] = 1,
    patch: Annotated[int, typer.Option(min=1, max=8, help="Frames that become channels of one.")] = 2,
    minutes: options.Minutes = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Or for so many optimiser steps.")] = None,
    batch: options.BatchSize = 32,
    draws: options.Draws = 4,
    learning_rate: options.LearningRate = 1e-3,
    pairs: options.Pairs = 0.6,
    seed: options.Seed = 0,
    compiled: options.Compiled = False,
) -> None:
    """Teach a smaller, faster network what a trained one computes; a run that was stopped resumes where it was."""
    options.check_run(run, teacher)
    try:
        widths = tuple(int(part) for part in channels.split(","))
    except ValueError as error:
        raise InputError(f"'{channels}' is not a list of channels: write it as 64,96,128,192") from error
    with needs_extra("shrink"):
        from ghostnote.models.train.shrink import SmallerNetwork
        from ghostnote.models.train.trainer import TrainSettings

        training = TrainSettings(
            steps=steps,
            minutes=minutes,
            batch=batch,
            draws=draws,
            learning_rate=learning_rate,
            pair_share=pairs,
            seed=seed,
            compile=compiled,
        )
        _run(data, teacher, run, SmallerNetwork(widths, blocks, patch), training)


def _run(data: Path, teacher: Path, run: Path, network: SmallerNetwork, training: TrainSettings) -> None:
    """Train under a progress bar; files that are left out are named above it."""
    from rich.console import Console

    from ghostnote.bridge.cli.train_progress import run_bar
    from ghostnote.models.train.shrink import shrink as teach

    console = Console(stderr=True)
    with run_bar(console, "sound") as report:
        teach(data, teacher, run, network, training, report=report, warn=lambda why: say(console, f"warning: {why}"))
    say(console, f"{run}: a smaller network; next: ghostnote export {run} -o my-drums.onnx --int8")

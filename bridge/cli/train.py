"""`ghostnote train`, with its progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ghostnote.bridge.cli import train_options as options
from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.cli.terminal import say
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    from ghostnote.models.train.trainer import TrainSettings


_DRAWS: Final = 3
_PAIRS: Final = 0.6


def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder of drum hits, with or without a manifest.")],
    run: options.Run,
    minutes: options.Minutes = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Or for so many optimiser steps.")] = None,
    batch: options.BatchSize = 32,
    draws: options.Draws = _DRAWS,
    learning_rate: options.LearningRate = 5e-4,
    pairs: options.Pairs = _PAIRS,
    seed: options.Seed = 0,
    initial: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Start a new run from the weights of another.")
    ] = None,
    compiled: options.Compiled = False,
    preview_every: Annotated[int, typer.Option(min=1, help="Steps between grids of generated hits.")] = 2500,
    system: Annotated[
        str | None, typer.Option(metavar="NAME", help="Train another way to generate drums: see 'ghostnote systems'.")
    ] = None,
    changed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the system, as front=patch; may be repeated."),
    ] = None,
    shapes_alone: Annotated[
        bool, typer.Option("--shapes-alone", help="Train only what new drums are drawn from, not strokes.")
    ] = False,
) -> None:
    """Train a model on a folder of drum hits; a run that was stopped resumes where it was."""
    options.check_run(run, initial)
    common: dict[str, Any] = {"steps": steps, "minutes": minutes, "batch": batch, "learning_rate": learning_rate}
    common |= {"seed": seed, "preview_every": preview_every}
    with needs_extra("train"):
        if system is not None:
            _refuse_for_systems({
                "--initial": initial is not None, "--shapes-alone": shapes_alone, "--compile": compiled,
                "--draws": draws != _DRAWS, "--pairs": pairs != _PAIRS,
            })  # fmt: skip
            _run_system(data, run, system, common, changed or [])
            return
        if changed:
            raise InputError("--set is given without --system, whose settings it changes: add --system NAME")
        from ghostnote.models.train.trainer import TrainSettings

        settings = TrainSettings(**common, compile=compiled, draws=draws, pair_share=0.0 if shapes_alone else pairs)
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


def _refuse_for_systems(given: dict[str, bool]) -> None:
    """Raise `InputError` for options that only the instrument's own model takes."""
    for option, is_given in given.items():
        if is_given:
            raise InputError(f"{option} is given with --system, which does not take it: leave one of them out")


def _run_system(data: Path, run: Path, name: str, settings: dict[str, Any], changed: list[str]) -> None:
    """Train another system under a progress bar; files that are left out are named above it."""
    from rich.console import Console

    from ghostnote.bridge.cli.train_progress import run_bar
    from ghostnote.models.systems.registry import read_settings
    from ghostnote.models.train.system_run import train_system
    from ghostnote.models.train.training_run import RunSettings

    console = Console(stderr=True)
    with run_bar(console, "loss") as report:
        chosen = RunSettings(**settings)
        network = read_settings(name, changed)
        train_system(data, run, name, chosen, network, report=report, warn=lambda why: say(console, f"warning: {why}"))
    say(console, f"{run}: trained; next: ghostnote generate --run {run} -c snare, or ghostnote evaluate --system {run}")

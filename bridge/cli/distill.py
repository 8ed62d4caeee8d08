"""`ghostnote distill`, with its progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ghostnote.bridge.cli import train_options as options
from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.cli.terminal import say
from ghostnote.bridge.errors import InputError

if TYPE_CHECKING:
    from ghostnote.models.train.distill import DistillSettings
    from ghostnote.models.train.loop import TrainProgress
    from ghostnote.models.train.trainer import TrainSettings

_WARMUP_STEPS: Final = 50


def distill(
    teacher: options.Trained,
    data: options.Data,
    run: options.Run,
    steps: Annotated[
        str, typer.Option(metavar="N,N…", help="Steps of the students, each taught by the one before.")
    ] = "4,2,1",
    method: Annotated[
        str, typer.Option(help="'progressive' learns from the teacher, 'energy' from the data alone.")
    ] = "progressive",
    guidance: Annotated[
        float, typer.Option(min=0, max=20, help="The teacher's guidance, folded into the students.")
    ] = 1.0,
    teacher_steps: Annotated[int, typer.Option(min=1, max=1024, help="Steps of the first teacher.")] = 16,
    minutes: options.Minutes = None,
    train_steps: Annotated[
        int | None, typer.Option(min=1, help="Or for so many optimiser steps, all students together.")
    ] = None,
    batch: options.BatchSize = 32,
    draws: options.Draws = 3,
    learning_rate: options.LearningRate = 2e-4,
    pairs: options.Pairs = 0.6,
    seed: options.Seed = 0,
    compiled: options.Compiled = False,
) -> None:
    """Teach a trained model to need fewer steps; a run that was stopped resumes where it was."""
    counts = read_counts(steps)
    for count in counts:
        options.check_run(run / f"steps-{count}", teacher)
    with needs_extra("distill"):
        from ghostnote.models.train.distill import DistillSettings
        from ghostnote.models.train.trainer import TrainSettings

        training = TrainSettings(
            steps=train_steps,
            minutes=minutes,
            batch=batch,
            draws=draws,
            learning_rate=learning_rate,
            warmup_steps=_WARMUP_STEPS,
            pair_share=pairs,
            seed=seed,
            compile=compiled,
        )
        _run(data, teacher, run, DistillSettings(counts, method, guidance, teacher_steps), training)


def read_counts(text: str) -> tuple[int, ...]:
    """Return numbers of steps, as in `4,2,1`; `InputError` for anything else."""
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"'{text}' is not a list of numbers of steps: write it as 4,2,1") from error
    if any(not 1 <= count <= 256 for count in counts):
        raise InputError(f"'{text}' has a number of steps that is not within 1 to 256")
    return counts


def _run(data: Path, teacher: Path, run: Path, settings: DistillSettings, training: TrainSettings) -> None:
    """Distill under a progress bar; files that are left out are named above it."""
    from rich.console import Console

    from ghostnote.bridge.cli.train_progress import training_bar
    from ghostnote.models.train.distill import distill as teach
    from ghostnote.models.train.distill import folder_of

    console = Console(stderr=True)
    left = "student of {task.fields[student]}, step {task.fields[step]}"
    right = "loss {task.fields[loss]:.4f}  {task.fields[rate]:.0f} hits/s"
    with training_bar(console, left, right) as bar:
        task = bar.add_task("", total=len(settings.steps), student="–", step=0, loss=float("nan"), rate=0.0)

        def report(student: int, progress: TrainProgress) -> None:
            values: dict[str, Any] = {"step": progress.step, "loss": progress.loss, "rate": progress.hits_per_second}
            completed = settings.steps.index(student) + min(1.0, progress.done)
            bar.update(task, completed=completed, student=student, **values)
            if progress.validation:
                loss = progress.validation[0]
                console.print(f"student of {student}, step {progress.step}: validation loss {loss:.4f}")

        def warn(message: str) -> None:
            say(console, f"warning: {message}")

        teach(data, teacher, run, settings, training, report=report, warn=warn)
    last = folder_of(run, settings.steps[-1])
    say(console, f"{run}: distilled; next: ghostnote export {last} -o my-drums.onnx")

"""`ghostnote distill`, with its progress bar, and `ghostnote schedule`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli.train import needs_extra
from ghostnote.bridge.errors import InputError

if TYPE_CHECKING:
    from ghostnote.models.train.distill import DistillSettings, Student
    from ghostnote.models.train.trainer import TrainSettings

_WARMUP_STEPS: Final = 50


def distill(
    teacher: Annotated[
        Path, typer.Argument(metavar="TEACHER", help="A trained run's folder, or its model.safetensors.")
    ],
    data: Annotated[Path, typer.Option("--data", "-d", metavar="DATA", help="A folder of drum hits.")],
    run: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="RUN", help="The run's folder; one that exists is taken up."),
    ],
    steps: Annotated[
        str, typer.Option(metavar="N,N…", help="Steps of the students, each taught by the one before.")
    ] = "4,2,1",
    method: Annotated[
        str, typer.Option(help="'progressive' asks the teacher, 'energy' the data alone.")
    ] = "progressive",
    guidance: Annotated[
        float, typer.Option(min=0, max=20, help="The teacher's guidance, to be had without it.")
    ] = 1.0,
    teacher_steps: Annotated[int, typer.Option(min=1, max=1024, help="Steps of the first teacher.")] = 16,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Teach for so long, all students together.")
    ] = None,
    train_steps: Annotated[
        int | None, typer.Option(min=1, help="Or for so many optimiser steps, all students together.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=65_536, help="Examples a step, on each device.")] = 32,
    draws: Annotated[
        int, typer.Option(min=1, max=64, help="Steps that share a batch's examples, each with new noise.")
    ] = 3,
    learning_rate: Annotated[
        float, typer.Option(min=1e-7, max=1, help="Peak of each student's cosine schedule.")
    ] = 2e-4,
    pairs: Annotated[
        float, typer.Option(min=0, max=1, help="Share of examples with a reference stroke.")
    ] = 0.6,
    seed: Annotated[int, typer.Option(min=0, help="Decides the draws.")] = 0,
    compiled: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Fuse the networks first.")
    ] = False,
) -> None:
    """Teach a trained model to need fewer steps; a run that was stopped goes on where it was."""
    counts = read_counts(steps)
    with needs_extra("distill"):
        from ghostnote.models.train.distill import DistillSettings
        from ghostnote.models.train.trainer import TrainSettings

        settings = DistillSettings(counts, method, guidance, teacher_steps)
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
        _run(data, teacher, run, settings, training)


def read_counts(text: str) -> tuple[int, ...]:
    """Return numbers of steps, as in `4,2,1`; `InputError` for anything else."""
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"'{text}' are no numbers of steps: write them as 4,2,1") from error
    if any(not 1 <= count <= 256 for count in counts):
        raise InputError(f"'{text}' has a number of steps that is not within 1 to 256")
    return counts


def _run(data: Path, teacher: Path, run: Path, settings: DistillSettings, training: TrainSettings) -> None:
    """Distill under a progress bar; files that are left out are named above it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from ghostnote.models.train.distill import distill as teach
    from ghostnote.models.train.distill import folder_of

    console = Console(stderr=True)
    left = TextColumn("student of {task.fields[student]}, step {task.fields[step]}")
    right = TextColumn("loss {task.fields[loss]:.4f}  {task.fields[rate]:.0f} hits/s")
    with Progress(
        left, BarColumn(), right, TimeElapsedColumn(), TimeRemainingColumn(), console=console
    ) as bar:
        task = bar.add_task("", total=len(settings.steps), student="–", step=0, loss=float("nan"), rate=0.0)

        def report(student: Student) -> None:
            progress = student.progress
            bar.update(
                task,
                completed=settings.steps.index(student.steps) + min(1.0, progress.done),
                student=student.steps,
                step=progress.step,
                loss=progress.loss,
                rate=progress.hits_per_second,
            )
            if progress.validation:
                loss = progress.validation[0]
                console.print(f"student of {student.steps}, step {progress.step}: validation loss {loss:.4f}")

        def warn(message: str) -> None:
            console.print(f"warning: {message}")

        teach(data, teacher, run, settings, training, report=report, warn=warn)
    last = folder_of(run, settings.steps[-1])
    console.print(f"{run}: distilled; next: ghostnote export {last} -o my-drums.onnx")


def schedule(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or its model.safetensors.")],
    data: Annotated[Path, typer.Option("--data", "-d", metavar="DATA", help="A folder of drum hits.")],
    steps: Annotated[str, typer.Option(metavar="N,N…", help="Numbers of steps to choose times for.")] = "2,4",
    examples: Annotated[
        int, typer.Option(min=2, max=4096, help="Hits of the valid split to choose by.")
    ] = 64,
) -> None:
    """Choose the times of a model's steps by measurement, and keep them beside its weights."""
    counts = read_counts(steps)
    with needs_extra("schedule"):
        from ghostnote.models.train.distill import choose_schedules

        for count, chosen in choose_schedules(run, data, counts, examples).items():
            times = ", ".join(f"{time:g}" for time in chosen.times)
            typer.echo(
                f"{count} steps: {times}: {chosen.distance_db:.2f} dB from 50 steps "
                f"(even times: {chosen.even_distance_db:.2f} dB)"
            )

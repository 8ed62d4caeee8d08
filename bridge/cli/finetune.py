"""`ghostnote tune`, with its progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli.train import needs_extra

if TYPE_CHECKING:
    from ghostnote.models.train.adversarial import TuneSettings


def tune(
    start: Annotated[
        Path, typer.Argument(metavar="START", help="A trained run's folder, or its model.safetensors.")
    ],
    data: Annotated[
        Path, typer.Option("--data", "-d", metavar="DATA", help="A folder of drums with repeated strokes.")
    ],
    run: Annotated[
        Path, typer.Option("--output", "-o", metavar="RUN", help="The folder of the tuned model.")
    ],
    minutes: Annotated[float, typer.Option(min=0.01, help="Tune for so long.")] = 20.0,
    batch: Annotated[int, typer.Option(min=2, max=4096, help="Strokes made in a step.")] = 24,
    steps: Annotated[int, typer.Option(min=0, max=64, help="Diffusion steps of a stroke.")] = 2,
    table_rate: Annotated[float, typer.Option(min=1e-6, max=1, help="Learning rate of the tables.")] = 3e-3,
    network_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Learning rate of the sound network; 0 leaves it as it is.")
    ] = 1e-4,
    seed: Annotated[int, typer.Option(min=0, help="Decides draws and noise.")] = 0,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="REPORT.json", help="A report of 'evaluate', for the amounts it found."),
    ] = None,
) -> None:
    """Tune strokes until a judge hears less difference from real ones; Ctrl-C keeps what is reached."""
    with needs_extra("tune"):
        from ghostnote.models.train.adversarial import TuneSettings

        settings = TuneSettings(minutes, batch, steps, table_rate, network_rate, seed=seed)
        _run(data, start, run, settings, calibration)


def _run(data: Path, start: Path, run: Path, settings: TuneSettings, calibration: Path | None) -> None:
    """Tune under a progress bar."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from ghostnote.export.export import ExportSettings, read_amounts
    from ghostnote.models.train.adversarial import TuneProgress
    from ghostnote.models.train.adversarial import tune as tune_tables

    console = Console(stderr=True)
    amounts = read_amounts(calibration) if calibration else ExportSettings().amounts
    columns = (
        TextColumn("step {task.fields[step]}"),
        BarColumn(),
        TextColumn("told from real {task.fields[told]:.2f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=1.0, step=0, told=float("nan"))

        def report(progress: TuneProgress) -> None:
            bar.update(task, completed=progress.done, step=progress.step, told=progress.told)

        tune_tables(data, start, run, amounts, settings, report)
    console.print(f"{run}: tuned; next: ghostnote export {run} -o my-drums.onnx")

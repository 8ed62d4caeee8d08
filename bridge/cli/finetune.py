"""`ghostnote finetune`, with its progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.cli.terminal import say
from ghostnote.bridge.cli.train_options import Calibration, Seed, Trained, check_run

if TYPE_CHECKING:
    from ghostnote.models.train.adversarial import FinetuneSettings


def finetune(
    start: Trained,
    data: Annotated[
        Path, typer.Option("--data", "-d", metavar="DATA", help="A folder of drums with repeated strokes.")
    ],
    run: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="The folder of the fine-tuned model.")],
    minutes: Annotated[float, typer.Option(min=0.01, help="Train for so long.")] = 20.0,
    batch: Annotated[int, typer.Option(min=2, max=4096, help="Strokes generated in a step.")] = 24,
    steps: Annotated[int, typer.Option(min=0, max=64, help="Diffusion steps of a stroke.")] = 2,
    statistics_rate: Annotated[float, typer.Option(min=1e-6, max=1, help="Learning rate of the statistics.")] = 3e-3,
    network_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Learning rate of the sound network; 0 leaves it as it is.")
    ] = 1e-4,
    seed: Seed = 0,
    calibration: Calibration = None,
) -> None:
    """Fine-tune strokes against discriminators (adversarial post-training); Ctrl-C keeps what is reached."""
    check_run(run, start, calibration)
    with needs_extra("finetune"):
        from ghostnote.models.train.adversarial import FinetuneSettings

        settings = FinetuneSettings(minutes, batch, steps, statistics_rate, network_rate, seed=seed)
        _run(data, start, run, settings, calibration)


def _run(data: Path, start: Path, run: Path, settings: FinetuneSettings, calibration: Path | None) -> None:
    """Fine-tune under a progress bar."""
    from rich.console import Console

    from ghostnote.bridge.cli.train_progress import training_bar
    from ghostnote.export.export import ExportSettings, read_amounts
    from ghostnote.models.train.finetune import FinetuneProgress
    from ghostnote.models.train.finetune import finetune as finetune_run

    console = Console(stderr=True)
    amounts = read_amounts(calibration) if calibration else ExportSettings().amounts
    right = "distinguished from real {task.fields[distinguished]:.2f}"
    with training_bar(console, "step {task.fields[step]}", right) as bar:
        task = bar.add_task("", total=1.0, step=0, distinguished=float("nan"))

        def report(progress: FinetuneProgress) -> None:
            values: dict[str, Any] = {"step": progress.step, "distinguished": progress.distinguished}
            bar.update(task, completed=progress.done, **values)

        def warn(message: str) -> None:
            say(console, f"warning: {message}")

        finetune_run(data, start, run, amounts, settings, report=report, warn=warn)
    say(console, f"{run}: fine-tuned; next: ghostnote export {run} -o my-drums.onnx")

"""`ghostnote train` with its progress bar."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ghostnote.models.train.loop import Progress as RunProgress
from ghostnote.models.train.loop import train
from ghostnote.models.train.trainer import Task, TrainSettings


def run_training(
    data: Path, run: Path, settings: TrainSettings, initial: Path | None, task: Task = Task()
) -> None:
    """Train under a progress bar; files that are left out are named above it."""
    console = Console(stderr=True)
    columns = (
        TextColumn("step {task.fields[step]}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  {task.fields[rate]:.0f} hits/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    left_out = []
    with Progress(*columns, console=console) as bar:
        row = bar.add_task("", total=1.0, step=0, loss=float("nan"), rate=0.0)

        def report(progress: RunProgress) -> None:
            done = min(1.0, progress.done)
            bar.update(
                row, completed=done, step=progress.step, loss=progress.loss, rate=progress.hits_per_second
            )
            if progress.validation:
                sound, shape = progress.validation
                console.print(
                    f"step {progress.step}: validation loss {sound:.4f} (sound), {shape:.4f} (shape)"
                )

        def warn(message: str) -> None:
            left_out.append(message)
            console.print(f"warning: {message}")

        train(data, run, settings, initial=initial, task=task, report=report, warn=warn)
    if left_out:
        console.print(f"{len(left_out)} files were left out")
    console.print(f"{run}: trained; next: ghostnote export {run} -o my-drums.onnx")

"""The progress bar of the commands that train."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from ghostnote.models.train.loop import TrainProgress


def training_bar(console: Console, left: str, right: str) -> Progress:
    """Return a bar between two texts with fields, as `step {task.fields[step]}`, and the times behind them."""
    columns = (TextColumn(left), BarColumn(), TextColumn(right), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)


@contextmanager
def run_bar(console: Console, *networks: str) -> Iterator[Callable[[TrainProgress], None]]:
    """Show a run's bar, and yield what it reports to; the validation losses of `networks` are printed above it."""
    right = "loss {task.fields[loss]:.4f}  {task.fields[rate]:.0f} hits/s"
    with training_bar(console, "step {task.fields[step]}", right) as bar:
        row = bar.add_task("", total=1.0, step=0, loss=float("nan"), rate=0.0)

        def report(progress: TrainProgress) -> None:
            values: dict[str, Any] = {"step": progress.step, "loss": progress.loss, "rate": progress.hits_per_second}
            bar.update(row, completed=min(1.0, progress.done), **values)
            if progress.validation:
                shown = zip(networks, progress.validation, strict=False)
                losses = ", ".join(f"{loss:.4f} ({name})" for name, loss in shown)
                console.print(f"step {progress.step}: validation loss {losses}")

        yield report

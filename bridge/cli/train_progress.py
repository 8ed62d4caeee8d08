"""The progress bar of the commands that train."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def training_bar(console: Console, left: str, right: str) -> Progress:
    """Return a bar between two texts with fields, as `step {task.fields[step]}`, and the times behind them."""
    columns = (TextColumn(left), BarColumn(), TextColumn(right), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)

"""The progress bar of `evaluate`: a row for each stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghostnote.models.evaluate.player import Tick
    from ghostnote.models.evaluate.run import Stage


@contextmanager
def stages() -> Iterator[Stage]:
    """Show the bar, and yield what begins a stage by its name."""
    from rich.console import Console
    from rich.progress import Progress, TimeElapsedColumn

    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=Console(stderr=True)) as bar:

        def stage(name: str) -> Tick:
            task = bar.add_task(name, total=None)
            return lambda done, total: bar.update(task, completed=done, total=total)

        yield stage

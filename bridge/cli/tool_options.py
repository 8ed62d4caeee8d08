"""What the commands of the sound tools share: their options, and files in and out under a progress bar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli.drum_options import class_given
from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.output_guard import check_outputs

if TYPE_CHECKING:
    from ghostnote.bridge.tools.files import FileOutcome, Tool
    from ghostnote.bridge.tools.output_form import OutputForm

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Sound files, and folders of them.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER",
        help="Where the result goes; by default here, with the command's name behind the source's.",
    ),
]
DrumClass = Annotated[
    str | None,
    typer.Option(
        "--class",
        "-c",
        metavar="CLASS",
        help="The class of all files; by default guessed.",
        callback=class_given,
        is_eager=True,
    ),
]
Format = Annotated[str | None, typer.Option("--format", help="wav, flac, aiff or ogg; by default the source's.")]
Bits = Annotated[int | None, typer.Option(help="16, 24, or 32 (floating point); by default as in the source.")]
Rate = Annotated[int | None, typer.Option(min=8000, max=192_000, help="Sample rate in Hz; by default the source's.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Another number, another result.")]
Count = Annotated[int, typer.Option("--count", "-n", min=1, max=999, help="How many results of each hit.")]
Steps = Annotated[
    int | None, typer.Option(min=0, max=256, help="Diffusion steps, by default the model's own: more is finer.")
]
Figure = Annotated[
    Path | None,
    typer.Option("--figure", metavar="FILE.png", help="Draw before and after: PNG, SVG, PDF, JPEG, by its ending."),
]

_MOST_DRAWN: Final = 8


@dataclass(frozen=True)
class ToolRun:
    """One run of a tool's command."""

    paths: list[Path]
    form: OutputForm
    figure: Path | None = None


def run_tool(run: ToolRun, tool: Tool) -> None:
    """Make results of every file: a line for each says what it is and where they went, a figure shows some.

    A file that fails is named, the others go on, and the command then ends with 1.
    """
    from rich.console import Console
    from rich.progress import track

    from ghostnote.bridge.io.hit_files import unread_sounds
    from ghostnote.bridge.tools.files import plan, process

    tasks = plan(run.paths, run.form)
    if run.figure is not None:
        check_outputs((run.figure,), [*run.paths, *(task.source for task in tasks)])
        check_figure(run.figure, run.form.tool)
    for line in unread_sounds(run.paths, links=True):
        echo(f"note: {line}", err=True)
    console, failed = Console(stderr=True), 0
    drawn: list[FileOutcome] = []
    outcomes = process(tasks, run.form, tool)
    # Of a single file nothing says how far it is: the bar moves to and fro.
    total = len(tasks) if len(tasks) > 1 else None
    for outcome in track(
        outcomes, run.form.tool, total, console=console, transient=True, disable=not console.is_terminal
    ):
        report(outcome)
        failed += outcome.problem is not None
        if run.figure is not None and outcome.results and len(drawn) < _MOST_DRAWN:
            drawn.append(outcome)
    if run.figure is not None and drawn:
        _draw(run.figure, drawn)
    if failed:
        raise typer.Exit(1)


def check_figure(path: Path, command: str) -> None:
    """Raise an error for a picture that could not be drawn, before any work is done."""
    with needs_extra(f"{command} --figure"):
        from ghostnote.models.plots.hits import figure_format

        figure_format(path)


def report(outcome: FileOutcome) -> None:
    """Print what was found in one file and where the results went, or why there are none."""
    if outcome.problem is not None or outcome.hit is None:
        echo(f"failed: {outcome.problem}", err=True)
        return
    written = ", ".join(map(str, outcome.written)) or "nothing"
    echo(f"{outcome.task.source}: {outcome.hit.summary} -> {written}")
    for note in outcome.notes:
        echo(f"note: {note}", err=True)


def _draw(path: Path, outcomes: list[FileOutcome]) -> None:
    with needs_extra("--figure"):
        from ghostnote.models.plots.before_after import BeforeAfter, draw_before_after

        rows = []
        for outcome in outcomes:
            hit = outcome.hit
            if hit is not None:
                after = [(made.label or "after", made.audio, made.rate or hit.rate) for made in outcome.results]
                plain = [(*made.baseline, made.rate or hit.rate) for made in outcome.results if made.baseline]
                beside = plain if len(plain) == 1 else []
                rows.append(BeforeAfter(hit.path.stem, (("before", hit.audio, hit.rate), *after, *beside)))
                if len(plain) > 1:
                    rows.append(BeforeAfter("", (("before", hit.audio, hit.rate), *plain)))
        draw_before_after(path, rows)
    echo(str(path))

"""`ghostnote synth`: a corpus without any download."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.printable import counted


def synth(
    output: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for the corpus.")],
    drums: Annotated[int, typer.Option("-n", min=1, max=10_000, help="Drums of each class.")] = 4,
    strokes: Annotated[int, typer.Option(min=1, max=1000, help="Strokes of each drum.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Which drums.")] = 0,
) -> None:
    """Synthesize a small corpus of drums with true repeats: something to train on without any download."""
    from rich.console import Console
    from rich.progress import Progress

    from ghostnote.models.data.synthetic.corpus import make_corpus

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Synthesizing", total=None)
        count = make_corpus(
            output, drums, strokes, seed, lambda done, total: bar.update(task, completed=done, total=total)
        )
    echo(f"{counted(count, 'hit')} in {output}")

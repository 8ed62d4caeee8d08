"""How programs beside the command line run: `python -m ghostnote.export.recover`, `.models.train.classifier` …"""

import sys
from collections.abc import Callable

import typer

from ghostnote.bridge.errors import GhostnoteError


def run_program(main: Callable[..., None]) -> None:
    """Run `main` with the command line's arguments; an error is one line, as it is for `ghostnote`."""
    try:
        typer.run(main)
    except GhostnoteError as error:
        typer.echo(f"ghostnote: {error}", err=True)
        sys.exit(error.exit_code)

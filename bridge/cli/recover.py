"""`ghostnote recover`: finishes recordings that a killed run left."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import GhostnoteError, InputError


def recover(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to look; by default here.")] = Path(),
) -> None:
    """Finish the recordings in a folder that were cut off when 'ghostnote live' was killed."""
    from ghostnote.bridge.io.recording import finish, unfinished

    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    parts, failures = unfinished(folder), 0
    for part in parts:
        try:
            echo(f"{finish(part)}: recovered")
        except GhostnoteError as error:
            failures += 1
            echo(f"{part}: {error}", err=True)
    if not parts:
        echo(f"no unfinished recordings in {folder}")
    if failures:
        raise typer.Exit(1)

"""What the options that name a drum do with their values: '?' lists all names, and any way of writing one is taken."""

from typing import Final

import typer

from ghostnote.bridge.cli.terminal import echo

_ALL: Final = "?"


def class_given(value: str | None) -> str | None:
    """Return the class that --class names, or print all of them for '?' and end; `InputError` for any other name."""
    from ghostnote.bridge.kinds import find_class

    return None if value is None else find_class(_named(value))


def drum_given(value: str | None) -> str | None:
    """Return what --kind or --to names, or print all classes and kinds for '?' and end."""
    return None if value is None else _named(value)


def _named(value: str) -> str:
    if value.strip() == _ALL:
        _list_drums()
        raise typer.Exit
    return value


def _list_drums() -> None:
    """Print every class, and below it its kinds."""
    from ghostnote.bridge.drums import CLASS_NAMES
    from ghostnote.bridge.kinds import kinds_of

    for name in CLASS_NAMES:
        echo(name)
        for kind in kinds_of(name):
            echo(f"  {kind}")
    echo("A name at the margin is a class, for --class; those below it are its kinds, for --kind.", err=True)

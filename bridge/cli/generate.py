"""`ghostnote generate`: new one-shots of a class."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from ghostnote.bridge.cli import options
from ghostnote.bridge.cli.terminal import echo

_NUMBERED: Final = re.compile(r"-\d+$")


def generate(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the files go.")],
    drum_class: Annotated[
        str | None, typer.Option("--class", "-c", metavar="CLASS", help="Class of drum, as in 'snare'.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", "-k", metavar="KIND", help="Kind of drum, finer than the class: 'cowbell'.")
    ] = None,
    count: Annotated[int, typer.Option("-n", min=1, max=100_000, help="How many.")] = 8,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the first; the others count up. File names contain it.")
    ] = 0,
    steps: Annotated[
        int | None, typer.Option(min=1, max=256, help="Diffusion steps: more is finer and slower.")
    ] = None,
    guidance: Annotated[
        float, typer.Option(min=0, max=10, help="Above 1: more typical of its class, less varied.")
    ] = 1.0,
    length: Annotated[
        float | None, typer.Option(min=0.02, max=10, help="Maximum duration in seconds; longer hits fade out.")
    ] = None,
    rate: options.Rate = 44_100,
    bits: Annotated[int | None, typer.Option(help="16, 24, or 32 (floating point).")] = None,
    model: options.Model = None,
) -> None:
    """Generate new drums: one-shot samples of a class or kind, each with its seed in its name."""
    from rich.console import Console
    from rich.progress import track

    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.inference.one_shots import OneShotSettings, write_one_shots
    from ghostnote.bridge.kinds import find_class, find_kind

    found = find_kind(kind, drum_class) if kind is not None else None
    if found is None and drum_class is None:
        raise InputError("neither --class nor --kind is given: say what to generate, as in --kind cowbell")
    name = found.name if found else None
    settings = OneShotSettings(
        found.drum_class if found else find_class(drum_class or ""),
        name,
        seed,
        count,
        steps,
        guidance,
        length,
        rate,
        bits,
    )
    paths = write_one_shots(output, settings, model)
    console, title, kept = Console(stderr=True), f"Generating {name or drum_class}", ""
    for path in track(paths, title, total=count, console=console, transient=True, disable=not console.is_terminal):
        kept = kept or (path.name if _NUMBERED.search(path.stem) else "")
        echo(str(path))
    if kept:
        echo(f"note: files of earlier runs stay, and what would have their names has a number, as {kept}", err=True)

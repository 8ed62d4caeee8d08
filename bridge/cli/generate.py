"""`ghostnote generate`: new one-shots of a class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli import drum_options, options, word_options
from ghostnote.bridge.cli.generate_run import refuse_beside_run, run_one_shots
from ghostnote.bridge.cli.terminal import echo

if TYPE_CHECKING:
    from ghostnote.bridge.inference.one_shots import OneShotSettings
    from ghostnote.bridge.tools.words import Wish

_UNNAMED: Final = "neither --class nor --kind is given: say what to generate, as in --kind cowbell"
_DEFAULT_COUNT: Final = 8
_NUMBERED: Final = re.compile(r"-\d+$")


def generate(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help='What it should be like, as in "tight dry funk snare".')
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Folder of the files, or one drum's file; with words by default a folder named after them.",
        ),
    ] = None,
    drum_class: Annotated[
        str | None,
        typer.Option(
            "--class",
            "-c",
            metavar="CLASS",
            help="Class of drum, as in 'snare'; '?' lists all.",
            callback=drum_options.class_given,
            is_eager=True,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "-k",
            metavar="KIND",
            help="Kind of drum, finer than the class, as in 'cowbell'; '?' lists all.",
            callback=drum_options.drum_given,
            is_eager=True,
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, max=100_000, help="How many; by default 8 in a folder.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the first, by default 0; the others count up. Left out, words choose seeds."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Diffusion steps: more is finer and slower; by default the model's own."),
    ] = None,
    guidance: Annotated[
        float, typer.Option(min=0, max=10, help="Above 1: more typical of its class, less varied.")
    ] = 1.0,
    strength: word_options.Strength = 1.0,
    length: Annotated[
        float | None, typer.Option(min=0.02, max=10, help="Maximum duration in seconds; longer hits fade out.")
    ] = None,
    rate: options.Rate = 44_100,
    bits: Annotated[int | None, typer.Option(help="16, 24, or 32 (floating point).")] = None,
    model: options.Model = None,
    run: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Take a run of 'train --system' instead of the model.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--continue", metavar="HIT", help="With --run of a WaveNet: go on from this hit, cut short."),
    ] = None,
) -> None:
    """Generate new drums: one-shot samples of a class or kind, each with its seed in its name."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.inference.one_shots import OneShotSettings, write_one_shots
    from ghostnote.bridge.tools.words import SeedSearch

    text = word_options.one_text(words)
    if run is not None:
        refuse_beside_run(text, kind, guidance, model)
    elif start is not None:
        raise InputError("--continue is given without --run: add the run of a WaveNet, or take 'ghostnote extend'")
    wish = None if text is None else word_options.read_aloud(text)
    name, kind = _named(drum_class, kind, wish, text)
    output = output or word_options.folder_for(text)
    count = _counted(output, count)
    seeds: tuple[int, ...] = ()
    if wish is not None:
        search = SeedSearch(name, kind, seed or 0, strength)
        seeds, kind = word_options.fitting_seeds(wish, search, count, model, counts_up=seed is not None)
    settings = OneShotSettings(name, kind, seed or 0, count, steps, guidance, length, rate, bits, seeds)
    if run is None:
        change = word_options.changed_by(wish, strength, model) if wish else lambda drum: drum
        _write(settings, write_one_shots(output, settings, model, change))
    else:
        _write(settings, run_one_shots(output, settings, run, start))


def _named(drum_class: str | None, kind: str | None, wish: Wish | None, words: str | None) -> tuple[str, str | None]:
    """Return the class and the kind that options name, or else the words."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.kinds import find_class, find_kind

    if kind is None and drum_class is None and wish is not None:
        kind, drum_class = wish.kind, wish.drum_class
    if kind is not None:
        found = find_kind(kind, drum_class)
        drum_class, kind = found.drum_class, found.name
    if drum_class is None:
        negated = wish.negated if wish else ()
        why = f"names only what not to make, {' and '.join(negated)}" if negated else "names no drum"
        raise InputError(_UNNAMED if words is None else f"{words!r} {why}: add a drum, as snare, or --class")
    name = find_class(drum_class)
    if wish is not None and wish.contradicts(name, kind):
        taken, meant = kind or name, wish.kind or wish.drum_class
        echo(f"note: --{'kind' if kind else 'class'} {taken} counts, and not the words' {meant}", err=True)
    return name, kind


def _counted(output: Path, count: int | None) -> int:
    """Return how many drums are made: one for a file, by default `_DEFAULT_COUNT` for a folder; `InputError`."""
    from ghostnote.bridge.io.audio_file import names_sound_file
    from ghostnote.bridge.io.output_guard import check_folder

    if count is not None and count > 1:
        check_folder(output, f"{count} drums are to be made", "give a folder, or -n 1")
    return count or (1 if names_sound_file(output) else _DEFAULT_COUNT)


def _write(settings: OneShotSettings, paths: Iterator[Path]) -> None:
    from rich.console import Console
    from rich.progress import track

    count = settings.count
    console, title, kept = Console(stderr=True), f"Generating {settings.kind or settings.drum_class}", ""
    for path in track(paths, title, total=count, console=console, transient=True, disable=not console.is_terminal):
        kept = kept or (path.name if _NUMBERED.search(path.stem) else "")
        echo(str(path))
    if kept:
        echo(f"note: files of earlier runs stay, and what would have their names has a number, as {kept}", err=True)

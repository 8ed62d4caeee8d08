"""`ghostnote explore`: many new drums, spread out or near one, with a sheet to choose from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ghostnote.bridge.cli import drum_options, options, tool_options
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from ghostnote.bridge.tools.explore import ExploreSettings
    from ghostnote.bridge.tools.sheet import SheetDrum

_NEAR: Final = 0.7


def explore(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where files and sheet go.")],
    drum_class: Annotated[
        str | None,
        typer.Option(
            "--class",
            "-c",
            metavar="CLASS",
            help="Class of drum; '?' lists all. With --like it is guessed.",
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
            help="Kind of drum, finer than the class; '?' lists all.",
            callback=drum_options.drum_given,
            is_eager=True,
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=999, help="How many.")] = 16,
    like: Annotated[
        Path | None, typer.Option(metavar="HIT", help="A sound file that they are near, as one of an earlier sheet.")
    ] = None,
    near: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help=f"How near --like: 1 is the hit itself, 0 any drum of the class; by default {_NEAR}."
        ),
    ] = None,
    keep: Annotated[
        str, typer.Option("--keep", "--lock", metavar="PARTS", help="Of --like: partials, body, tail, with commas.")
    ] = "",
    seed: Annotated[
        int | None, typer.Option(min=0, help="The first seed; by default the next one after those that the folder has.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=256, help="Diffusion steps; by default the model's own.")
    ] = None,
    guidance: Annotated[float, typer.Option(min=0, max=10, help="Above 1: more typical, less varied.")] = 1.0,
    rate: options.Rate = 44_100,
    bits: tool_options.Bits = None,
    model: options.Model = None,
) -> None:
    """Make many new drums, spread out or near one you like, with a page to hear and choose.

    In a folder of earlier ones there will be more of them, also after Ctrl-C.
    """
    from ghostnote.bridge.io.output_guard import check_folder
    from ghostnote.bridge.tools.explore import ExploreSettings
    from ghostnote.bridge.tools.sheet import next_seed

    check_folder(output, "many drums are made")
    if like is None and near is not None:
        raise InputError(f"--near {near:g}: is of --like, which is not given; say which hit the drums are near")
    drum_class, kind = _named(drum_class, kind, like)
    parts = tuple(part.strip() for part in keep.split(",") if part.strip())
    # Also where a seed is given: a damaged table is said before any drum is made.
    following = next_seed(output, _about(drum_class, kind, like))
    first = following if seed is None else seed
    settings = ExploreSettings(drum_class, kind, count, first, _NEAR if near is None else near, parts, steps, guidance)
    drums: list[SheetDrum] = []
    try:
        for drum in _write(output, settings, like, rate, bits, model):
            drums.append(drum)
            echo(f"{output / drum.file}: {_says(drum)}")
    except KeyboardInterrupt:
        if drums:
            _finish(output, settings, drums, like, rate)
        raise
    if len(drums) < count:
        echo(f"note: {len(drums)} of {count}: {_why_fewer(settings, like)}", err=True)
    _finish(output, settings, drums, like, rate)


def _named(drum_class: str | None, kind: str | None, like: Path | None) -> tuple[str, str | None]:
    """Return the class and kind: given, or those of --like."""
    from ghostnote.bridge.io.audio_file import read_audio
    from ghostnote.bridge.kinds import find_class, find_kind
    from ghostnote.bridge.tools.description import class_of
    from ghostnote.bridge.tools.sheet import class_in_table

    if kind is not None:
        found = find_kind(kind, drum_class)
        return found.drum_class, found.name
    if drum_class is not None:
        return find_class(drum_class), None
    if like is None:
        raise InputError("neither --class, --kind nor --like is given: say what to explore, as in --class snare")
    guess = class_of(like, *read_audio(like))
    return class_in_table(like) or (guess.drum_class, None)


def _write(
    folder: Path, settings: ExploreSettings, like: Path | None, rate: int, bits: int | None, model: Path | None
) -> Iterator[SheetDrum]:
    """Write the drums under a progress bar, each with its seed in its name, and yield them."""
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import track

    from ghostnote.bridge.dsp.conversion import resample
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.io.atomic_file import prepare_folder
    from ghostnote.bridge.io.audio_file import format_for, read_audio, write_audio
    from ghostnote.bridge.io.output_guard import numbered
    from ghostnote.bridge.tools.explore import explore as explored
    from ghostnote.bridge.tools.sheet import SheetDrum

    format_for(folder / "drum.wav", bits)
    generator = Generator.open(model)
    sound, source_rate = (None, rate) if like is None else read_audio(like)
    found = explored(settings, sound, source_rate, generator)
    prepare_folder(folder)
    console = Console(stderr=True)
    name = f"{like.stem}-near" if like else settings.kind or settings.drum_class
    for drum in track(
        found, "Exploring", settings.count, console=console, transient=True, disable=not console.is_terminal
    ):
        path = numbered(folder / f"{name}_{drum.seed:04d}.wav")
        audio = resample(drum.audio, generator.card.rate, rate)
        write_audio(path, audio, rate, bits)
        yield SheetDrum(path.name, replace(drum, audio=audio))


def _why_fewer(settings: ExploreSettings, like: Path | None) -> str:
    from ghostnote.bridge.tools.explore import explore_move

    if like is not None and explore_move(settings).is_none:
        return "all would be the hit itself; a lower --near, or less to --keep, has more"
    return "all others were too much alike; another --seed has more"


def _about(drum_class: str, kind: str | None, like: Path | None) -> dict[str, Any]:
    """Return what the sheet says of all drums of a run."""
    return {"class": drum_class, "kind": kind} | ({} if like is None else {"like": str(like)})


def _says(sheet: SheetDrum) -> str:
    drum = sheet.drum
    pitch = "no pitch" if drum.pitch_hz is None else f"{drum.pitch_hz:.0f} Hz"
    return f"{drum.seconds:.2f} s, {pitch}, brightness {drum.brightness_hz:.0f} Hz, seed {drum.seed}"


def _finish(folder: Path, settings: ExploreSettings, drums: list[SheetDrum], like: Path | None, rate: int) -> None:
    """Write the sheet: page, table, and the picture where matplotlib is installed."""
    from ghostnote.bridge.tools.sheet import PAGE, PICTURE, write_sheet
    from ghostnote.models.plots.sheet import draw_sheet

    about = _about(settings.drum_class, settings.kind, like)
    if like is not None:
        about |= {"near": settings.near, "keep": ", ".join(settings.keep)}
    every = write_sheet(folder, drums, about, rate)
    echo(str(folder / PAGE))
    try:
        cells = [(f"{drum.file}\n{_says(drum)}", drum.drum.audio) for drum in every]
        draw_sheet(folder / PICTURE, cells, rate)
        echo(str(folder / PICTURE))
    except MissingExtraError:
        echo("note: no picture is drawn: it needs the 'figures' extra", err=True)

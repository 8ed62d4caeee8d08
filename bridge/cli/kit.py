"""`ghostnote kit`: make, check and look at kit files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from ghostnote.bridge.cli import word_options
from ghostnote.bridge.cli.options import KIT_HELP, Model, opened_kit
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    from ghostnote.bridge.kit.kit import Kit, Pad

_CHECK_RATE: Final = 48_000
_LONG: Final = ("Pad", "Hit, seed")
_NUMBERS: Final = ("Amount", "Width", "dB", "Pan", "Steps")
_HEADINGS: Final = ("Pad", "Notes", "Class", "Hit, seed", *_NUMBERS, "Choke")

Force = Annotated[bool, typer.Option("--force", help="Replace a kit that is already there.")]

app = typer.Typer(help="Make, check and look at kits: which note plays which drum.", no_args_is_help=True)


@app.command()
def new(
    path: Annotated[Path | None, typer.Argument(metavar="KIT.toml", help="The kit file to write.")] = None,
    hits: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Make a pad of each drum in this folder, by names and sounds; or a file."),
    ] = None,
    base: Annotated[
        str, typer.Option("--from", metavar="NAME", help="The kit to copy: default, electronic or dry.")
    ] = "default",
    words: word_options.KitWords = None,
    strength: word_options.Strength = 1.0,
    seed: word_options.KitSeed = 0,
    output: word_options.KitOutput = None,
    force: Force = False,
) -> None:
    """Write a kit file to edit: a copy of one that comes along, one of your hits, or one of drums that words choose."""
    from ghostnote.bridge.io.atomic_file import write_bytes
    from ghostnote.bridge.io.hit_files import hits_at
    from ghostnote.bridge.io.output_guard import check_outputs
    from ghostnote.bridge.kit.create import kit_from_built_in, kit_from_hits
    from ghostnote.bridge.kit.save import check_kit_path

    path = word_options.one_path(path, output)
    check_outputs((path,), hits_at(hits) if hits else ())
    check_kit_path(path, replace=force)
    if words is not None:
        word_options.write_kit(path, words, hits, seed, strength)
        return
    made = kit_from_hits(path.stem, hits, path.parent) if hits else kit_from_built_in(path.stem, base)
    write_bytes(path, made.text.encode())
    echo(f"{path}: {counted(made.pads, 'pad')}")
    for line in (*(f"note: {guess}" for guess in made.guessed), *(f"warning: left out {why}" for why in made.skipped)):
        echo(line, err=True)


@app.command("import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A kit of SFZ, Hydrogen, DrumGizmo or DecentSampler, as file, folder or archive; "
            "or hits, a folder or one file.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="KIT.toml", help="The kit file; by default SOURCE.toml or PRESET.toml."),
    ] = None,
    channels: Annotated[
        str, typer.Option("--channels", "--mic", metavar="NAMES", help="DrumGizmo: the channels to mix, with commas.")
    ] = "",
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of several kits in SOURCE: its path there, or its folder.")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Do without samples that are missing.")] = False,
    force: Force = False,
) -> None:
    """Import a sampled kit: its notes, velocities, round robins, chokes, levels, places, tunings and starts.

    Hits that lie outside the kit file's folder are copied into a folder beside it. What is not taken over is named.
    """
    from ghostnote.bridge.kit.importers.source import ImportChoices, kit_name
    from ghostnote.bridge.kit.importers.write import import_kit

    names = tuple(name.strip() for name in channels.split(",") if name.strip())
    choices = ImportChoices(preset, names, partial)
    path = output or Path(f"{kit_name(source, choices)}.toml")
    kit, report = import_kit(source, path, choices, replace_old=force)
    hits, notes = sum(len(pad.files) for pad in kit.pads), sum(len(pad.notes) for pad in kit.pads)
    echo(f"{path}: {counted(len(kit.pads), 'pad')} of {counted(hits, 'hit')}, on {counted(notes, 'note')}")
    for line in report:
        echo(f"note: {line}", err=True)


@app.command()
def check(path: Annotated[Path, typer.Argument(metavar="KIT", help="The kit to check.")]) -> None:
    """Check a kit and every sound file in it; the first mistake is reported and the exit code is 2."""
    from ghostnote.bridge.io.audio_file import read_audio
    from ghostnote.bridge.kit.unheard import unheard
    from ghostnote.bridge.render.mixer import rack_for

    kit = opened_kit(path)
    rack_for(kit, _CHECK_RATE)
    own = [pad for pad in kit.pads if pad.files]
    for name, hit in ((pad.name, file) for pad in own for file in pad.files):
        audio, rate = read_audio(hit)
        image = {1: "mono", 2: "stereo"}.get(len(audio), f"{len(audio)} channels")
        echo(f"{name}: {hit}, {rate} Hz, {image}, {audio.shape[1] / rate:.2f} s")
    notes = sum(len(pad.notes) for pad in kit.pads)
    echo(
        f"ok: kit '{kit.name}' has {counted(len(kit.pads), 'pad')} on {counted(notes, 'note')}, "
        f"{len(own)} with a hit of their own, {len(kit.pads) - len(own)} generated"
    )
    _echo_effects(kit)
    for line in unheard(kit.pads):
        echo(f"warning: {line}", err=True)
    for whose, effects in kit.all_effects.items():
        for number, effect in enumerate(effects, 1):
            if effect.bypass and effect.file and not effect.file.exists():
                where = f"pad '{whose}'" if whose else "the mix"
                echo(f"warning: {where}: effect {number} is bypassed, and {effect.file} is missing", err=True)


@app.command()
def show(
    path: Annotated[Path | None, typer.Argument(metavar="KIT", help=f"{KIT_HELP} Without one the default kit.")] = None,
) -> None:
    """Show a kit's pads as a table."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    kit = opened_kit(path)
    table = Table(title=escape(f"{kit.name} (seed {kit.seed})"), box=None, padding=(0, 1, 0, 0))
    rows = [_row(pad) for pad in kit.pads]
    for at, heading in enumerate(_HEADINGS):
        # On a narrow screen long names are folded; the rest keeps to its line.
        long = heading in _LONG
        width = None if long else max(len(heading), *(len(row[at]) for row in rows))
        side: Literal["left", "right"] = "right" if heading in _NUMBERS else "left"
        table.add_column(heading, no_wrap=not long, overflow="fold", min_width=width, justify=side)
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)
    _echo_effects(kit)


@app.command("map")
def map_notes(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="gm, gm2, roland, alesis, yamaha, superior, ...")],
    path: Annotated[
        Path | None, typer.Argument(metavar="KIT.toml", help="The kit; without one the default kit.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="KIT.toml", help="Write the kit with these notes.")
    ] = None,
    force: Force = False,
) -> None:
    """Show what each note of a drum module or plugin plays, or write a kit that it can play."""
    from ghostnote.bridge.io.output_guard import check_outputs
    from ghostnote.bridge.kit.note_map import load_map, played, with_map
    from ghostnote.bridge.kit.save import check_kit_path, save_kit

    kit = with_map(opened_kit(path), load_map(name))
    if output:
        check_outputs((output,), (path, *(file for pad in kit.pads for file in pad.files)))
        check_kit_path(output, replace=force)
        save_kit(played(kit, name), output)
    for note, struck in sorted((note, pad.name) for pad in kit.pads for note in pad.notes):
        echo(f"{note:3d}  {struck}")
    silent = [pad.name for pad in kit.pads if not pad.notes]
    if silent:
        echo(f"warning: no note plays {', '.join(silent)}", err=True)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(metavar="KIT", help="The kit to export.")],
    to: Annotated[str, typer.Option(metavar="FORMATS", help="sfz, hydrogen, drumgizmo, decent; several with commas.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the kits go.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=999, help="Round robins: strokes a layer.")] = 8,
    velocities: Annotated[int, typer.Option(min=1, max=127, help="Velocity layers.")] = 4,
    rate: Annotated[int, typer.Option(min=8000, max=192_000, help="Of the samples, in Hz.")] = 44_100,
    author: Annotated[str, typer.Option(help="Who made the kit, for its credits.")] = "",
    licence: Annotated[str, typer.Option(help="What others may do with it, for its credits.")] = "",
    jobs: Annotated[int, typer.Option(min=0, max=64, help="Processes that make hits; 0 chooses.")] = 0,
    model: Model = None,
) -> None:
    """Make a kit for another sampler: every pad's strokes in velocity layers and round robins."""
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.inference.stroke_source import SourceSpec
    from ghostnote.bridge.io.output_guard import check_folder
    from ghostnote.bridge.render.workers import auto_jobs
    from ghostnote.bridge.sampler.build import KitShape
    from ghostnote.bridge.sampler.export_pads import Strokes, export_pads
    from ghostnote.bridge.sampler.write import parse_formats

    forms = parse_formats(to)
    check_folder(output, "a kit has several files")
    kit = opened_kit(path)
    shape = KitShape(count, velocities, author, licence, Generator.open(model).card.credits)
    jobs = jobs or auto_jobs(len(kit.pads) * count * velocities)
    paths, notes = export_pads(kit, Strokes(SourceSpec(model, rate), rate, jobs), shape, forms, output)
    for exported in paths:
        layers = f"{counted(velocities, 'velocity layer')}, {counted(count, 'round robin')}"
        echo(f"{exported}: {counted(len(kit.pads), 'drum')}, {layers}")
    for note in notes:
        echo(f"note: {note}", err=True)


def _touches(pad: "Pad") -> str:
    """Return what tells a pad's strokes apart beside their velocities, with the values."""
    from ghostnote.bridge.kit.hits import TOUCH

    text = ""
    for key in TOUCH:
        values = sorted({value for hit in pad.hits if (value := getattr(hit, key))})
        if len(values) > 1:
            text += f"; {key} " + ", ".join(f"{low:g}" if low == high else f"{low:g}-{high:g}" for low, high in values)
    return text


def _echo_effects(kit: "Kit") -> None:
    """Print a line for each pad with effects, and for the mix."""
    for name, effects in kit.all_effects.items():
        each = ", ".join(effect.name + " (bypassed)" * effect.bypass for effect in effects)
        echo(f"effects of {name or 'the mix'}: {each}")


def _row(pad: "Pad") -> tuple[str, ...]:
    """Return a pad's cells, under the headings."""
    several = f"{counted(len(pad.hits), 'hit')}{_touches(pad)}"
    drum = pad.hit.name if pad.hit else several if pad.hits else str(pad.drum_seed)
    numbers = [f"{number:g}" for number in (pad.amount, pad.width, pad.gain_db, pad.pan, pad.steps)]
    return (pad.name, " ".join(map(str, pad.notes)), pad.drum_class, drum, *numbers, pad.choke or "")

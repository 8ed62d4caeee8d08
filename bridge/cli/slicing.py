"""`ghostnote slice`: drum loops become their hits, a kit, and a MIDI file that plays them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import options, tool_options
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    from ghostnote.bridge.tools.slice import Stroke


def slice(
    loops: Annotated[
        list[Path], typer.Argument(metavar="LOOP...", help="Sound files with drum loops, and folders of them.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Where the hits go, in a folder each where there may be several loops; by default LOOP-slice, here.",
        ),
    ] = None,
    kit: Annotated[
        bool, typer.Option("--kit", help="Also write a kit of them, for render, live and the plugin.")
    ] = False,
    bpm: Annotated[
        float | None,
        typer.Option(
            "--tempo",
            "--bpm",
            min=20,
            max=400,
            help="The loop's tempo in beats a minute, for the MIDI file; by default found.",
        ),
    ] = None,
    bits: tool_options.Bits = None,
    figure: tool_options.Figure = None,
) -> None:
    """Cut drum loops into their hits: when each comes, how hard it is, which drums it is, and the tempo."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.io.output_guard import check_outputs

    found = _planned(loops, output, bits)
    check_outputs((figure,), [loop for loop, _ in found])
    if figure:
        tool_options.check_figure(figure, "slice")
        if len(found) > 1:
            raise InputError(f"--figure {figure}: is of one loop, and there are {len(found)}; give one")
    failed = 0
    for loop, own in found:
        try:
            _sliced(loop, own, _Choices(kit, bpm, bits, figure))
        except InputError as error:
            said = error if str(error).startswith(str(loop)) else InputError(f"{loop}: {error}")
            if len(found) == 1:
                raise said from error
            echo(f"failed: {said}", err=True)
            failed += 1
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Choices:
    """What is written of a loop."""

    kit: bool
    bpm: float | None
    bits: int | None
    figure: Path | None


def _planned(loops: list[Path], output: Path | None, bits: int | None) -> list[tuple[Path, Path]]:
    """Return each loop and the folder that its hits go to, its name as wanted; `InputError`.

    Loops of a folder get a folder each, be it just one: a next run then leaves out what this one wrote.
    """
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.io.hit_files import unread_sounds
    from ghostnote.bridge.io.output_guard import check_folder
    from ghostnote.bridge.tools.files import plan
    from ghostnote.bridge.tools.output_form import OutputForm

    form = OutputForm("slice", output, bits=bits)
    if output:
        check_folder(output, "a loop becomes several")
    inside = next((path for path in loops if output and path.is_dir() and real_path(path) == real_path(output)), None)
    if inside:
        raise InputError(f"{output}: is the folder of the loops, and its hits would be loops; give another one")
    tasks = plan(loops, form)
    for line in unread_sounds(loops, links=True):
        echo(f"note: {line}", err=True)
    if output and len(tasks) == 1 and tasks[0].source in loops:
        return [(tasks[0].source, output)]
    return [(task.source, task.target.with_suffix("")) for task in tasks]


def _sliced(loop: Path, wanted: Path, choices: _Choices) -> None:
    """Cut one loop, write what it is into a folder, and say so; `InputError`."""
    from ghostnote.bridge.cli.extras import needs_extra
    from ghostnote.bridge.io.audio_file import read_audio
    from ghostnote.bridge.io.sample_size import source_bits
    from ghostnote.bridge.tools.loop_kit import DEFAULT_BPM, write_loop
    from ghostnote.bridge.tools.slice import MOST_SECONDS, slice_loop
    from ghostnote.bridge.tools.tempo import estimated_bpm

    audio, rate = read_audio(loop, max_seconds=MOST_SECONDS)
    strokes = slice_loop(audio, rate)
    times = [stroke.start / rate for stroke in strokes]
    found = choices.bpm or estimated_bpm(times, [stroke.velocity for stroke in strokes])
    folder, bits = _free(wanted), choices.bits or source_bits(loop)
    written = write_loop(strokes, rate, folder, loop.stem, bits=bits, bpm=found or DEFAULT_BPM, with_kit=choices.kit)
    for stroke in strokes:
        echo(_line(stroke, rate))
    if not found:
        echo(
            f"note: {loop}: no tempo fits its strokes, so that its MIDI file has {DEFAULT_BPM:g}; give --tempo",
            err=True,
        )
    for note in written.notes:
        echo(f"note: {note}", err=True)
    options.tell_numbered(wanted, folder)
    tempo = "" if not found else f", {found:g} beats a minute ({'given' if choices.bpm else 'found'})"
    kit = f", {written.kit.name}" if written.kit else ""
    echo(f"{folder}: {counted(len(written.hits), 'hit')}{tempo}, {written.midi.name}{kit}")
    if choices.figure:
        with needs_extra("slice --figure"):
            from ghostnote.models.plots.slices import draw_slices

            draw_slices(choices.figure, audio, rate, strokes)
        echo(str(choices.figure))


def _free(folder: Path) -> Path:
    """Return a folder that holds nothing yet: itself, or with the first number that is free."""
    from ghostnote.bridge.io.output_guard import numbered

    is_empty = folder.is_dir() and not any(folder.iterdir())
    return folder if is_empty else numbered(folder)


def _line(stroke: Stroke, rate: int) -> str:
    drums = " + ".join(name.replace("_", " ") for name in stroke.classes)
    doubt = "" if stroke.probability >= 0.5 else f"  ({stroke.probability:.0%} sure)"
    return f"{stroke.start / rate:8.3f} s  velocity {stroke.velocity:3d}  {drums}{doubt}"

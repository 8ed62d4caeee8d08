"""`ghostnote slice`: a drum loop becomes its hits, a kit, and a MIDI file that plays them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import tool_options
from ghostnote.bridge.cli.terminal import echo

if TYPE_CHECKING:
    from ghostnote.bridge.tools.slice import Stroke


def slice(
    loop: Annotated[Path, typer.Argument(metavar="LOOP", help="A sound file with a drum loop.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where the hits go; by default LOOP-slice, here."),
    ] = None,
    kit: Annotated[
        bool, typer.Option("--kit", help="Also write a kit of them, for render, live and the plugin.")
    ] = False,
    bpm: Annotated[float, typer.Option(min=20, max=400, help="The loop's tempo, for the MIDI file's bars.")] = 120.0,
    bits: tool_options.Bits = None,
    figure: tool_options.Figure = None,
) -> None:
    """Cut a drum loop into its hits: when each comes, how hard it is, and which drums it is."""
    from ghostnote.bridge.cli.extras import needs_extra
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.io.audio_file import read_audio
    from ghostnote.bridge.io.output_guard import check_outputs, numbered
    from ghostnote.bridge.io.sample_size import source_bits
    from ghostnote.bridge.tools.loop_kit import write_loop
    from ghostnote.bridge.tools.slice import slice_loop

    check_outputs((figure,), (loop,))
    audio, rate = read_audio(loop)
    try:
        strokes = slice_loop(audio, rate)
    except InputError as error:
        raise InputError(f"{loop}: {error}") from error
    folder = numbered(output or Path(f"{loop.stem}-slice"))
    written = write_loop(strokes, rate, folder, loop.stem, bits=bits or source_bits(loop), bpm=bpm, with_kit=kit)
    for stroke in strokes:
        echo(_line(stroke, rate))
    for note in written.notes:
        echo(f"note: {note}", err=True)
    echo(f"{folder}: {len(written.hits)} hits, {written.midi.name}" + (f", {written.kit.name}" if written.kit else ""))
    if figure:
        with needs_extra("slice --figure"):
            from ghostnote.models.plots.slices import draw_slices

            draw_slices(figure, audio, rate, strokes)
        echo(str(figure))


def _line(stroke: Stroke, rate: int) -> str:
    drums = " + ".join(name.replace("_", " ") for name in stroke.classes)
    doubt = "" if stroke.probability >= 0.5 else f"  ({stroke.probability:.0%} sure)"
    return f"{stroke.start / rate:8.3f} s  velocity {stroke.velocity:3d}  {drums}{doubt}"

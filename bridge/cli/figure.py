"""`ghostnote figure`: a picture of hits and their next strokes."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.cli import drum_options
from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import AudioFileError, InputError
from ghostnote.bridge.io.output_guard import check_outputs


def figure(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.png", help="PNG, SVG, PDF or JPEG, by its name.")
    ],
    hits: Annotated[
        list[Path] | None,
        typer.Argument(metavar="HIT…", help="Sound files; without any, drums that the model generates."),
    ] = None,
    drum_class: Annotated[
        str,
        typer.Option(
            "--class",
            "-c",
            metavar="CLASS",
            help="Class of drum, where the name does not say it.",
            callback=drum_options.class_given,
            is_eager=True,
        ),
    ] = "snare",
    variations: Annotated[int, typer.Option("--count", "-n", min=1, max=12, help="Variations beside each hit.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Which drums and variations.")] = 1,
    steps: Annotated[int | None, typer.Option(min=0, max=64, help="Network steps a hit.")] = None,
    levels: Annotated[
        bool, typer.Option("--levels", help="One variation, as long as the hit, and the level of each channel.")
    ] = False,
    width: Annotated[float, typer.Option(min=0, max=1, help="Stereo width with --levels.")] = 0.0,
    model: Annotated[Path | None, typer.Option(metavar="FILE.onnx", help="Another model.")] = None,
) -> None:
    """Draw a hit and its next strokes: waveforms and spectrograms, side by side."""
    check_outputs((output,), (*(hits or ()), model))
    if levels and not hits:
        raise InputError("--levels is given without a sound file: name one or more")
    with needs_extra("figure"):
        from ghostnote.bridge.batch.settings import BatchSettings
        from ghostnote.models.plots.hits import figure_format
        from ghostnote.models.plots.variations import draw_long, draw_variations

        figure_format(output)
        hits = _readable(hits or [])
        if levels:
            settings = BatchSettings(width=width, seed=seed, steps=2 if steps is None else steps)
            draw_long(output, hits, drum_class, settings, model)
        else:
            draw_variations(output, hits, drum_class, variations, seed, steps, model)
    echo(str(output))


def _readable(hits: list[Path]) -> list[Path]:
    """Return the hits that can be read, and name the others; `AudioFileError` where none can."""
    from ghostnote.bridge.io.audio_file import read_audio

    errors: dict[Path, AudioFileError] = {}
    for path in hits:
        try:
            read_audio(path)
        except AudioFileError as error:
            errors[path] = error
    if errors and len(errors) == len(set(hits)):
        raise next(iter(errors.values()))
    for reason in errors.values():
        echo(f"warning: left out: {reason}", err=True)
    return [path for path in hits if path not in errors]

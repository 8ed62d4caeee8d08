"""`ghostnote bench`: how fast it is here."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.errors import InputError


def bench(
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the measurements as JSON.")
    ] = None,
    train: Annotated[bool, typer.Option("--train", help="Measure training: hits a second.")] = False,
    peer: Annotated[
        bool, typer.Option("--peer", help="Measure a hit beside tiny-audio-diffusion's, one thread each.")
    ] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(metavar="REPORT.json", help="Reports of 'evaluate', whose results --peer shows."),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Measure 'humanize': strokes a second, memory.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Measure the daemon beside JACK's dummy server.")
    ] = False,
    soak: Annotated[
        float | None, typer.Option(min=20, metavar="SECONDS", help="Plague the daemon for so long.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=5, help="How long --live plays.")] = 600.0,
    steps: Annotated[int, typer.Option(min=0, max=64, help="Network steps a hit in --live.")] = 2,
    width: Annotated[float, typer.Option(min=0, max=1, help="Stereo width in --live; 0 is mono.")] = 0.0,
    block: Annotated[int, typer.Option(min=16, max=8192, help="Frames a block in --live.")] = 256,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE.onnx", help="Another model than the one that comes along.")
    ] = None,
) -> None:
    """Measure speed and memory on this machine: of hits and renders, or of what an option names."""
    from ghostnote.bridge.bench.report import measurements_table, write_measurements

    if sum((train, peer, batch, live, soak is not None)) > 1:
        raise InputError(
            "more than one of --train, --peer, --batch, --live and --soak is given: measure one at a time"
        )
    if report and not peer:
        raise InputError("--report is given without --peer, which shows its results: add --peer")
    if train:
        from ghostnote.bridge.cli.train import measure_training

        measurements = measure_training()
    elif peer:
        from ghostnote.bridge.cli.train import measure_peer

        measurements = measure_peer(model, report or [])
    elif batch:
        from ghostnote.bridge.bench.batch import measure_batch

        measurements = measure_batch(model)
    elif live:
        from ghostnote.bridge.bench.live import measure_live

        measurements = measure_live(model, seconds, steps, width, block)
    elif soak is not None:
        from ghostnote.bridge.bench.soak import soak as measure_soak

        measurements = measure_soak(model, soak)
    else:
        from ghostnote.bridge.bench.offline import measure

        measurements = measure(model)
    typer.echo(measurements_table(measurements))
    if json:
        write_measurements(json, measurements)

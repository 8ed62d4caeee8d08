"""`ghostnote bench`: how fast it is on this machine."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import options
from ghostnote.bridge.cli.extras import needs_extra, needs_page
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.output_guard import check_outputs

if TYPE_CHECKING:
    from ghostnote.bridge.bench.report import Measurement


def bench(
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the results as JSON.")] = None,
    train: Annotated[bool, typer.Option("--train", help="Measure training: hits per second.")] = False,
    scale: Annotated[
        bool, typer.Option("--scale", help="Reckon what training on a million hits and eight GPUs takes.")
    ] = False,
    peer: Annotated[
        bool, typer.Option("--peer", help="Measure a hit beside tiny-audio-diffusion's, one thread each.")
    ] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(metavar="REPORT.json", help="Reports of 'evaluate', whose results --peer shows."),
    ] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Measure 'humanize': strokes per second, memory.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Measure live playing on JACK's dummy server.")] = False,
    soak: Annotated[
        float | None, typer.Option(min=60, metavar="SECONDS", help="Stress live playing for this long.")
    ] = None,
    plugin: Annotated[
        bool, typer.Option("--plugin", help="Measure the plugin: loading, playing, a bounce; with --live in jalv.")
    ] = False,
    page: Annotated[bool, typer.Option("--page", help="Measure the page, or --live with it open.")] = False,
    seconds: Annotated[float, typer.Option(min=5, help="How long --live, --plugin and --page play.")] = 600.0,
    steps: Annotated[int, typer.Option(min=0, max=64, help="Diffusion steps per hit in --live.")] = 2,
    width: Annotated[float, typer.Option(min=0, max=1, help="Stereo width in --live; 0 is mono.")] = 0.0,
    block: Annotated[int, typer.Option(min=16, max=8192, help="Frames per block in --live.")] = 256,
    model: options.Model = None,
    *,
    context: typer.Context,
) -> None:
    """Measure speed and memory on this machine: of hits and renders, or of what an option names."""
    from ghostnote.bridge.bench.report import measurements_table, write_measurements

    if sum((train, scale, peer, batch, live, (plugin or page) and not live, soak is not None)) + (plugin and page) > 1:
        names = "--train, --scale, --peer, --batch, --live, --plugin, --page and --soak"
        raise InputError(f"more than one of {names} is given: measure one at a time")
    if report and not peer:
        raise InputError("--report is given without --peer, which shows its results: add --peer")
    _refuse_unused(context, plays=live and not plugin, lasts=live or plugin or page)
    check_outputs((json,), (model, *(report or ())))
    if plugin and live:
        from ghostnote.bridge.bench.plugin_host import measure_in_host

        measurements = measure_in_host(model, seconds)
    elif live:
        from ghostnote.bridge.bench.live import measure_live

        with needs_page("bench --live --page") if page else nullcontext():
            measurements = measure_live(model, seconds, steps, width, block, page)
    elif plugin:
        from ghostnote.bridge.bench.plugin import measure_plugin

        measurements = measure_plugin(model, seconds)
    elif page:
        with needs_page("bench --page"):
            from ghostnote.bridge.bench.page import measure_page
        measurements = measure_page(seconds)
    elif soak is not None:
        from ghostnote.bridge.bench.soak.run import soak as measure_soak

        measurements = measure_soak(model, soak)
    else:
        measurements = _measure_offline(model, report or [], train=train, scale=scale, peer=peer, batch=batch)
    typer.echo(measurements_table(measurements))
    if json:
        write_measurements(json, measurements)
    if any(measurement.is_met is False for measurement in measurements):
        raise typer.Exit(1)


def _refuse_unused(context: typer.Context, *, plays: bool, lasts: bool) -> None:
    """Raise `InputError` for an option that is given and that what is measured does not use."""
    used = {"steps": plays, "width": plays, "block": plays, "seconds": lasts}
    for name, is_used in used.items():
        source = context.get_parameter_source(name)
        if not is_used and source and source.name == "COMMANDLINE":
            users = "--live, --plugin and --page use" if name == "seconds" else "--live without --plugin uses"
            raise InputError(f"--{name} is given, but only {users} it: leave it out")


def _measure_offline(
    model: Path | None, reports: list[Path], *, train: bool, scale: bool, peer: bool, batch: bool
) -> list[Measurement]:
    """Measure what needs no audio device."""
    if train:
        with needs_extra("bench --train"):
            from ghostnote.export.benchmark.training import measure as measure_training

            return measure_training()
    if scale:
        with needs_extra("bench --scale"):
            from ghostnote.export.benchmark.scale import measure as measure_scale

            return measure_scale()
    if peer:
        with needs_extra("bench --peer"):
            from ghostnote.export.benchmark.peer import measure as measure_peer

            return measure_peer(model, reports)
    if batch:
        from ghostnote.bridge.bench.batch import measure_batch

        return measure_batch(model)
    from ghostnote.bridge.bench.offline import measure

    return measure(model)

"""`ghostnote humanize`: single hits in, folders of strokes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import drum_options, options
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghostnote.bridge.batch.humanize import BatchReport, Pool
    from ghostnote.bridge.batch.settings import BatchSettings
    from ghostnote.bridge.batch.sources import SourceFile
    from ghostnote.bridge.sampler.build import KitShape
    from ghostnote.bridge.sampler.write import KitFormat


def humanize(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Sound files, and folders of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the strokes go.")],
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=999, help="Round robins: strokes per velocity layer.")
    ] = 8,
    velocities: Annotated[
        int, typer.Option(min=1, max=127, help="Velocity layers; the hardest is as loud as the file, if none clips.")
    ] = 4,
    amount: Annotated[
        float,
        typer.Option(min=0, max=2, help="How much strokes differ: 0 not at all, 1 as a drummer's, 2 exaggerated."),
    ] = 1.0,
    width: Annotated[float, typer.Option(min=0, max=1, help="Widen the stereo image; 0 leaves it as it is.")] = 0.0,
    drum_class: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="The class of all files; by default guessed for each.",
            callback=drum_options.class_given,
            is_eager=True,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Another number, other strokes.")] = 1,
    steps: Annotated[
        int, typer.Option(min=0, max=64, help="Diffusion steps: more is finer and slower; 0 is fastest.")
    ] = 2,
    jobs: options.Jobs = 0,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Use a Dask cluster: its scheduler's address (tcp:// or tls://), or 'local'. "
            "Whoever reaches a scheduler can run code on its workers, unless it asks for certificates.",
        ),
    ] = None,
    tls_ca: Annotated[
        Path | None, typer.Option(metavar="CA.pem", help="Who signs the certificates of a tls:// cluster.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="CERT.pem", help="Your certificate for a tls:// cluster.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="KEY.pem", help="The key of --tls-cert.")] = None,
    file_format: Annotated[str, typer.Option("--format", help="wav, flac or aiff.")] = "wav",
    bits: Annotated[int | None, typer.Option(help="16, 24, or 32; by default as in the source.")] = None,
    rate: Annotated[
        int | None, typer.Option(min=8000, max=192_000, help="Sample rate in Hz; by default the source's.")
    ] = None,
    export: Annotated[
        str,
        typer.Option(
            metavar="FORMATS", help="Also make sampler kits, separated by commas: sfz, hydrogen, drumgizmo, decent."
        ),
    ] = "",
    name: Annotated[str, typer.Option(help="Name of the kits; by default the folder's that the hits are in.")] = "",
    author: Annotated[str, typer.Option(help="Who recorded the hits, for the kits' credits.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the kits, for their credits.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be made.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Humanize loops and melodies too.")] = False,
    model: options.Model = None,
) -> None:
    """Turn single hits into instruments: more strokes of the same drum, in velocity layers and round robins."""
    from ghostnote.bridge.batch.settings import BatchSettings, check_settings
    from ghostnote.bridge.batch.sources import find_sources
    from ghostnote.bridge.io.hit_files import unread_sounds
    from ghostnote.bridge.io.output_guard import check_folder
    from ghostnote.bridge.sampler.build import KitShape
    from ghostnote.bridge.sampler.write import parse_formats

    check_folder(output, "a hit becomes several strokes")
    forms = parse_formats(export)
    settings = BatchSettings(count, velocities, amount, width, steps, seed, drum_class, file_format, bits, rate, force)
    check_settings(settings)
    sources = find_sources(paths, output)
    for path in paths:
        if real_path(output).is_relative_to(real_path(path)):
            echo(f"note: {output} lies inside {path}; what is in it is not humanized")
    for line in unread_sounds(paths, links=True):
        echo(f"note: {line}", err=True)
    if dry_run:
        _list_hits(sources, output, settings)
        return
    pool = _pool(jobs, sources, settings, cluster, (tls_ca, tls_cert, tls_key))
    report = _run_with_bar(sources, output, settings, model, pool, resume=resume)
    _print_report(report)
    if forms and report.sources:
        shape = KitShape(author=author, licence=licence, name=name or _folder_name(paths, output), prefix=bool(name))
        _export(report, forms, output / "kits", shape, model, keep=resume)
    if report.problems:
        raise typer.Exit(1)


def _folder_name(paths: Sequence[Path], output: Path) -> str:
    """Return the name of the folder that the hits are in, or of the output where that is more than one."""
    folders = {path if path.is_dir() else path.parent for path in map(real_path, paths)}
    return (folders.pop() if len(folders) == 1 else real_path(output)).name


def _pool(
    jobs: int,
    sources: Sequence[SourceFile],
    settings: BatchSettings,
    cluster: str | None,
    certificates: tuple[Path | None, ...],
) -> Pool:
    """Return the processes, or the cluster, to work with."""
    from ghostnote.bridge.batch.humanize import local_pool
    from ghostnote.bridge.render.workers import auto_jobs

    strokes = len(sources) * settings.count * settings.velocities
    jobs = min(jobs or auto_jobs(strokes), len(sources))
    if any(certificates) and not (cluster or "").startswith("tls://"):
        raise InputError("certificates are for a cluster that asks for them: give its address as --cluster tls://…")
    if cluster is None:
        return local_pool(jobs)
    from ghostnote.bridge.batch.cluster import Certificates, cluster_pool

    return cluster_pool(cluster, jobs, Certificates(*certificates))


def _run_with_bar(
    sources: Sequence[SourceFile],
    output: Path,
    settings: BatchSettings,
    model: Path | None,
    pool: Pool,
    *,
    resume: bool,
) -> BatchReport:
    """Humanize under a progress bar with the speed and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ghostnote.bridge.batch.humanize import humanize_files
    from ghostnote.bridge.batch.model_variator import ModelSpec

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Humanizing", total=len(sources))

        def show(finished: int, total: int) -> None:
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed or 0.0
            rate = speed * settings.count * settings.velocities
            bar.update(task, completed=finished, total=total, description=f"{rate:.0f} strokes/s")

        return humanize_files(sources, output, settings, ModelSpec(model), pool, resume=resume, progress=show)


def _print_report(report: BatchReport) -> None:
    """Print what was made, and on the error stream what was left out."""
    reused = f", {report.reused} of them finished before" if report.reused else ""
    unused = f"; {len(report.left_out)} left out, {len(report.problems)} failed"
    rest = unused if report.left_out or report.problems else ""
    if report.sources:
        echo(f"{report.manifest}: {counted(report.sources, 'hit')}{reused}{rest}")
    if report.files:
        echo(f"{counted(report.files, 'file')} in {report.seconds:.1f} s, {report.files_per_second:.1f} per second")
    else:
        echo("nothing was left to do" if report.reused else "nothing was made")
    for note in report.notes:
        echo(f"note: {note}")
    for reason in report.left_out:
        echo(f"left out: {reason}", err=True)
    for problem in report.problems:
        echo(f"failed: {problem}", err=True)


def _export(
    report: BatchReport, forms: Sequence[KitFormat], folder: Path, shape: KitShape, model: Path | None, *, keep: bool
) -> None:
    """Make sampler kits of the manifest's files, one for each folder of sources."""
    from dataclasses import replace

    from ghostnote.bridge.batch.model_variator import ModelSpec
    from ghostnote.bridge.sampler.build import kits_from_manifest
    from ghostnote.bridge.sampler.write import export_kits

    shape = replace(shape, credits=ModelSpec(model).open().credits)
    kits, left_out = kits_from_manifest(report.manifest, shape)
    paths, notes = export_kits(kits, forms, folder, keep=keep)
    for path in paths:
        echo(f"{path}: a kit")
    for note in (*left_out, *notes):
        echo(f"note: {note}", err=True)


def _list_hits(sources: Sequence[SourceFile], output: Path, settings: BatchSettings) -> None:
    """Print each source's class and output folder, and what would be left out."""
    from ghostnote.bridge.batch.worker import NotAHitError, examine, failure
    from ghostnote.bridge.io.audio_file import read_audio

    each, hits = settings.count * settings.velocities, 0
    for source in sources:
        try:
            guess = examine(source, *read_audio(source.path), settings)
        except NotAHitError as error:
            echo(f"left out: {error}", err=True)
            continue
        except Exception as error:
            echo(f"failed: {failure(source.path, error)}", err=True)
            continue
        hits += 1
        sure = f", {guess.probability:.0%} sure" if guess.source == "sound" else ""
        several = f" and {counted(len(source.hits) - 1, 'more stroke')}" if source.hits else ""
        echo(f"{source.path}{several}: {guess.drum_class} (by {guess.source}{sure}) -> {output / source.place}")
    echo(f"would make {counted(hits * each, 'file')} of {counted(hits, 'hit')}, {each} each")

"""`ghostnote render`: a MIDI file in, a drum track out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.errors import InputError

if TYPE_CHECKING:
    from ghostnote.bridge.kit.kit import Kit
    from ghostnote.bridge.live.take.format import Take
    from ghostnote.bridge.midi.humanize import Feel
    from ghostnote.bridge.midi.smf_reader import MidiSong
    from ghostnote.bridge.render.offline import Progress, RenderReport, RenderSettings


def render(
    song: Annotated[
        Path, typer.Argument(metavar="SONG.mid", help="The MIDI file: type 0 or 1, any channel.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT.wav", help="The mix: .wav, .flac, .aiff or .ogg by its ending."
        ),
    ],
    kit: Annotated[
        Path | None,
        typer.Option(metavar="KIT.toml", help="The kit; without one the default General MIDI kit."),
    ] = None,
    stems: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write one file for each pad that plays, in here."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another take: another seed for every pad.")] = None,
    amount: Annotated[
        float | None,
        typer.Option(
            min=0, max=2, help="How much hits differ: 0 not at all, 1 as a drummer's, 2 exaggerated."
        ),
    ] = None,
    width: Annotated[
        float | None, typer.Option(min=0, max=1, help="Stereo width of every pad, 0 is mono.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=0, max=64, help="Network steps a hit: more is finer and slower, 0 uses none."),
    ] = None,
    rate: Annotated[
        int, typer.Option(min=8000, max=192_000, help="Sample rate of what is written, in Hz.")
    ] = 48_000,
    bits: Annotated[int | None, typer.Option(help="16, 24, or 32 (floating point, .wav only).")] = None,
    tail: Annotated[
        float | None,
        typer.Option(
            min=0, max=600, help="Seconds after the song's end; left out, the last hit rings to its end."
        ),
    ] = None,
    timing: Annotated[
        float,
        typer.Option(
            min=0,
            max=100,
            metavar="MS",
            help="Stray from the score as drummers do: 2 is a good one, 10 drunk.",
        ),
    ] = 0.0,
    dynamics: Annotated[
        float, typer.Option(min=0, max=40, metavar="STEPS", help="And in velocity, by so many steps of 127.")
    ] = 0.0,
    midi_out: Annotated[
        Path | None, typer.Option(metavar="FILE.mid", help="Write the song as it was played.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, max=64, help="Processes that make hits; 0 chooses.")] = 0,
    limiter: Annotated[
        bool, typer.Option(help="Hold the mix under -1 dBFS. Stems are never limited.")
    ] = True,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE.onnx", help="Another model than the one that comes along.")
    ] = None,
) -> None:
    """Play a MIDI file: every note becomes a hit of its own, and the same seed gives the same file again."""
    from ghostnote.bridge.kit.kit import default_kit, load_kit, with_settings
    from ghostnote.bridge.live.take.format import read_take
    from ghostnote.bridge.midi.humanize import Feel
    from ghostnote.bridge.midi.smf_reader import read_midi
    from ghostnote.bridge.render.offline import RenderSettings

    settings = RenderSettings(stems, bits, tail, limiter, jobs=jobs or None)
    take = read_take(song)
    if take:
        changes = (kit, seed, amount, width, steps, midi_out, timing or None, dynamics or None)
        if any(change is not None for change in changes):
            raise InputError(
                f"{song} is a live take, which holds the very hits: leave out what would change them"
            )
        print_report(_take_with_bar(take, output, settings, model), take.kit)
        return
    played = read_midi(song, rate)
    pads = with_settings(
        load_kit(kit) if kit else default_kit(), seed=seed, amount=amount, width=width, steps=steps
    )
    feel = Feel(timing, dynamics, pads.seed)
    if timing or dynamics or midi_out:
        played = _with_feel(song, played, pads, feel, midi_out)
    print_report(run_with_bar(played, pads, output, settings, model), pads)


def _with_feel(path: Path, song: MidiSong, kit: Kit, feel: Feel, midi_out: Path | None) -> MidiSong:
    """Return the song as a drummer plays it, say how far that strays, and write it as MIDI if asked to."""
    from ghostnote.bridge.midi.humanize import deviations, humanize_song
    from ghostnote.bridge.midi.smf_writer import write_humanized

    if not (feel.timing_ms or feel.dynamics):
        raise InputError("--midi-out writes what --timing and --dynamics change: give one of them")
    take = humanize_song(song, kit, feel)
    late, louder = deviations(song, take)
    typer.echo(
        f"feel: notes stray by {late.std():.1f} ms (at most {abs(late).max():.1f}), "
        f"velocities by {louder.std():.1f} (at most {abs(louder).max():.0f})"
    )
    if midi_out:
        write_humanized(path, take, midi_out)
    return take.song


def run_with_bar(
    song: MidiSong, kit: Kit, output: Path, settings: RenderSettings, model: Path | None = None
) -> RenderReport:
    """Render under a progress bar."""
    from ghostnote.bridge.inference.drum_cache import CachedSpec
    from ghostnote.bridge.inference.stroke_source import SourceSpec
    from ghostnote.bridge.render.offline import render_song

    source = CachedSpec(SourceSpec(model, song.rate))
    return _under_bar(output, lambda progress: render_song(song, kit, source, output, settings, progress))


def _take_with_bar(take: Take, output: Path, settings: RenderSettings, model: Path | None) -> RenderReport:
    """Render a live take under a progress bar."""
    from ghostnote.bridge.inference.drum_cache import CachedSpec
    from ghostnote.bridge.inference.stroke_source import SourceSpec
    from ghostnote.bridge.live.take.render import render_take

    source = CachedSpec(SourceSpec(model, take.rate))
    return _under_bar(output, lambda progress: render_take(take, source, output, settings, progress))


def _under_bar(output: Path, work: Callable[[Progress], RenderReport]) -> RenderReport:
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"Rendering {output.name}", total=None)
        return work(lambda done, total: bar.update(task, completed=done, total=total))


def print_report(report: RenderReport, kit: Kit) -> None:
    """Print what was rendered, and on the error stream what was left out."""
    each = ", ".join(f"{name} {count}" for name, count in report.strokes.items())
    limited = f", limited by up to {report.limited_db:.1f} dB" if report.limited_db > 0.05 else ""
    typer.echo(f"{report.mix}: {report.seconds:.1f} s, {report.notes} hits ({each})")
    typer.echo(f"peak {report.peak_dbfs:.1f} dBFS, loudness {report.loudness_lufs:.1f} LUFS{limited}")
    if report.stems:
        typer.echo(f"{len(report.stems)} stems in {report.stems[0].parent}")
    typer.echo(f"made in {report.render_seconds:.1f} s, {report.realtime_factor:.1f} times real time")
    warnings = [*report.warnings]
    if report.unmapped:
        notes = ", ".join(f"{note} ({count} times)" for note, count in report.unmapped.items())
        warnings.append(
            f"no pad of kit '{kit.name}' plays notes {notes}: {sum(report.unmapped.values())} left out"
        )
    if report.stolen:
        warnings.append(f"{report.stolen} voices gave way: more hits sounded at once than can")
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)

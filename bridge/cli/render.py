"""`ghostnote render`: a MIDI file in, a drum track out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import options
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.output_guard import check_outputs, numbered
from ghostnote.bridge.io.printable import counted, printable

if TYPE_CHECKING:
    from ghostnote.bridge.kit.kit import Kit
    from ghostnote.bridge.live.take.format import Take
    from ghostnote.bridge.midi.humanize import Feel, Placing
    from ghostnote.bridge.midi.smf_reader import MidiSong
    from ghostnote.bridge.render.offline import RenderReport, RenderSettings


def render(
    song: Annotated[Path, typer.Argument(metavar="SONG.mid", help="The MIDI file: type 0 or 1, any channel.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT.wav",
            help="The mix; its ending sets the format: .wav, .flac, .aiff or .ogg. By default SONG.wav.",
        ),
    ] = None,
    kit: Annotated[
        Path | None,
        typer.Option(
            metavar="KIT",
            help=f"{options.KIT_HELP} By default a General MIDI kit. "
            "Of a live take the kit that it was played with, beside which its hits may lie.",
        ),
    ] = None,
    stems: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also write a stem for each pad that plays, into this folder.")
    ] = None,
    seed: options.TakeSeed = None,
    amount: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="How much hits differ: 0 not at all, 1 as a drummer's, 2 exaggerated."),
    ] = None,
    width: Annotated[
        float | None, typer.Option(min=0, max=1, help="Stereo width of every pad; 0 keeps the sample's own image.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=0, max=64, help="Diffusion steps: more is finer and slower, 0 fastest; by default each pad's own, 2."
        ),
    ] = None,
    tweak: options.Tweak = None,
    rate: options.Rate = 48_000,
    bits: Annotated[int | None, typer.Option(help="16, 24, or 32 (floating point, .wav only).")] = None,
    tail: Annotated[
        float | None,
        typer.Option(min=0, max=600, help="Seconds after the song's end; by default the last hit rings out."),
    ] = None,
    timing: Annotated[
        float,
        typer.Option(
            min=0, max=100, metavar="MS", help="Loosen the timing as drummers do: 2 is a good one, 10 a drunk one."
        ),
    ] = 0.0,
    dynamics: Annotated[
        float, typer.Option(min=0, max=40, metavar="VELOCITY", help="Vary the velocities by about this much of 127.")
    ] = 0.0,
    channel: Annotated[
        str | None,
        typer.Option(metavar="N|all", help="The drums' MIDI channel; by default 10 if it has notes, else all."),
    ] = None,
    note_map: options.NoteMap = None,
    swing: Annotated[
        float, typer.Option(min=50, max=75, metavar="PERCENT", help="Where off-beats fall: 50 straight, 67 triplets.")
    ] = 50.0,
    swing_grid: Annotated[int, typer.Option(metavar="8|16", help="What swings: eighths or sixteenths.")] = 16,
    groove: Annotated[
        Path | None, typer.Option(metavar="FILE.mid", help="Play with the timing and the accents of this drum part.")
    ] = None,
    drummer: Annotated[
        str | None,
        typer.Option(metavar="GENRE", help="Play as a drummer of this genre does: rock, jazz, funk or hiphop."),
    ] = None,
    drummer_amount: Annotated[
        float, typer.Option(min=0, max=1, help="How much of that: 0 nothing, 1 as a drummer.")
    ] = 1.0,
    midi_out: Annotated[
        Path | None, typer.Option(metavar="FILE.mid", help="Also write the song with these timings and velocities.")
    ] = None,
    jobs: options.Jobs = 0,
    limiter: Annotated[bool, typer.Option(help="Hold the mix under -1 dBFS. Stems are never limited.")] = True,
    model: options.Model = None,
) -> None:
    """Render a MIDI file: every note becomes a new hit, and the same seed gives the same file again."""
    from ghostnote.bridge.kit.note_map import load_map, with_map
    from ghostnote.bridge.kit.overrides import parse_sliders, with_settings
    from ghostnote.bridge.live.take.format import is_take, read_take
    from ghostnote.bridge.midi.channels import drums_of
    from ghostnote.bridge.midi.drummer import drummer_feel, drummer_placing, find_style
    from ghostnote.bridge.midi.groove import STRAIGHT, placing, read_groove
    from ghostnote.bridge.midi.humanize import Feel
    from ghostnote.bridge.midi.smf_reader import read_midi
    from ghostnote.bridge.render.offline import RenderSettings

    settings = RenderSettings(stems, bits, tail, limiter, jobs=jobs or None)
    if drummer_amount != 1 and not drummer:
        raise InputError(
            f"--drummer-amount {drummer_amount:g} says how much of --drummer: add --drummer rock, jazz, funk or hiphop"
        )
    if swing_grid != 16 and swing == STRAIGHT:
        raise InputError(f"--swing-grid {swing_grid} says what --swing moves: add --swing 60, or another percentage")
    wanted, own_midi = output or Path(f"{song.stem}.wav"), midi_out
    output = output or numbered(wanted)
    check_outputs((output, midi_out), (song, kit, model, groove))
    options.check_midi_ending("--midi-out", midi_out)
    take = read_take(song, kit)
    if take:
        changes = (seed, amount, width, steps, tweak or None, channel, note_map, midi_out, groove)
        if any(change is not None for change in changes) or timing or dynamics or drummer or swing != 50:
            raise InputError(
                f"{song} is a live take, which fixes every hit: leave out the options that would change them"
            )
        report = run_with_bar(take, take.kit, output, settings, model)
        options.tell_numbered(wanted, output)
        print_report(report, take.kit)
        return
    played, choice = drums_of(read_midi(song, rate), channel)
    if choice:
        echo(f"{song.name}: {choice}")
    pads = options.opened_kit(kit)
    pads = with_settings(pads, seed=seed, amount=amount, width=width, steps=steps, sliders=parse_sliders(tweak or ()))
    if note_map:
        pads = with_map(pads, load_map(note_map))
    check_outputs((midi_out,), (file for pad in pads.pads for file in pad.files))
    if midi_out and is_take(midi_out):
        midi_out = numbered(midi_out)
    feel = Feel(timing, dynamics, pads.seed)
    moves = placing(played, pads, read_groove(groove, pads) if groove else None, swing, swing_grid)
    if drummer:
        style = find_style(drummer, swings=swing == STRAIGHT)
        moves = moves.then(drummer_placing(played, pads, style, drummer_amount, pads.seed))
        own = drummer_feel(style, drummer_amount, pads.seed)
        feel = Feel(timing or own.timing_ms, dynamics or own.dynamics, pads.seed)
    has_feel = timing or dynamics or groove or (drummer and drummer_amount) or swing != STRAIGHT
    if midi_out and not has_feel:
        raise InputError(
            "--midi-out writes what --timing, --dynamics, --swing, --groove and --drummer change: add one of them"
        )
    if has_feel:
        played = _with_feel(song, played, pads, feel, moves, midi_out, groove)
    report = run_with_bar(played, pads, output, settings, model)
    options.tell_numbered(wanted, output)
    options.tell_numbered(own_midi, midi_out)
    print_report(report, pads)


def _with_feel(
    path: Path, song: MidiSong, kit: Kit, feel: Feel, placing: Placing, midi_out: Path | None, groove: Path | None
) -> MidiSong:
    """Return the song as a drummer plays it, print how far it deviates, and write it if `midi_out` is given."""
    from ghostnote.bridge.midi.humanize import deviations, humanize_song
    from ghostnote.bridge.midi.smf_writer import write_humanized

    is_moved = feel.timing_ms or feel.dynamics or placing.late.any() or (placing.louder != 1).any()
    if not is_moved:
        still = "--swing moves no note of this grid: try --swing-grid 8 for eighths, 16 for sixteenths"
        if groove:
            still = f"--groove {groove} changes no note: the song has that timing and those accents already"
        echo(f"warning: {still}", err=True)
    take = humanize_song(song, kit, feel, placing)
    if midi_out:
        write_humanized(path, take, midi_out)
    if not is_moved:
        return song
    late, louder = deviations(song, take)
    echo(
        f"feel: notes come {late.std():.1f} ms off their places (at most {abs(late).max():.1f}), "
        f"velocities vary by {louder.std():.1f} (at most {abs(louder).max():.0f})"
    )
    return take.song


def run_with_bar(
    song: MidiSong | Take, kit: Kit, output: Path, settings: RenderSettings, model: Path | None = None
) -> RenderReport:
    """Render a song, or a live take with its own kit, under a progress bar."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from ghostnote.bridge.inference.drum_cache import CachedSpec
    from ghostnote.bridge.inference.stroke_source import SourceSpec
    from ghostnote.bridge.live.take.render import render_take
    from ghostnote.bridge.midi.smf_reader import MidiSong
    from ghostnote.bridge.render.offline import render_song

    spec = CachedSpec(SourceSpec(model, song.rate))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(printable(f"Rendering {output.name}")), total=None)

        def show(frames: int, total: int) -> None:
            bar.update(task, completed=frames, total=total)

        if isinstance(song, MidiSong):
            return render_song(song, kit, spec, output, settings, show)
        return render_take(song, spec, output, settings, show)


def print_report(report: RenderReport, kit: Kit) -> None:
    """Print what was rendered, and on the error stream what was left out."""
    each = ", ".join(f"{name} {count}" for name, count in report.strokes.items())
    limited = f", limited by up to {report.limited_db:.1f} dB" if report.limited_db > 0.05 else ""
    echo(f"{report.mix}: {report.seconds:.1f} s, {counted(report.notes, 'hit')} ({each})")
    echo(f"peak {report.peak_dbfs:.1f} dBFS, loudness {report.loudness_lufs:.1f} LUFS{limited}")
    if report.stems:
        echo(f"{counted(len(report.stems), 'stem')} in {report.stems[0].parent}")
    echo(f"rendered in {report.render_seconds:.1f} s, {report.realtime_factor:.1f} times real time")
    warnings = [*report.warnings]
    warnings += [_unmapped(note, count, kit) for note, count in report.unmapped.items()]
    if report.stolen:
        stolen = "1 voice was" if report.stolen == 1 else f"{report.stolen} voices were"
        warnings.append(f"{stolen} stolen: too many hits sounded at once")
    for warning in warnings:
        echo(f"warning: {warning}", err=True)


def _unmapped(note: int, count: int, kit: Kit) -> str:
    """Return a line on a note that no pad plays."""
    from ghostnote.bridge.midi.note_names import named_note

    times = "once" if count == 1 else f"{count} times"
    return f"no pad of kit '{kit.name}' plays {named_note(note)}, {times}: add it to a pad's notes, or choose a --map"

"""`ghostnote melody`: a tuned drum plays the notes of a MIDI file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli import options, tool_options
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.tools.melody import Note

_KINDS: Final = {"tom": ("tom", "mid_tom"), "808": ("kick", "electronic_kick"), "bell": ("perc", "agogo")}


def melody(
    song: Annotated[Path, typer.Argument(metavar="SONG.mid", help="The MIDI file whose notes are played.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT.wav", help="The sound file; by default SONG-melody.wav."),
    ] = None,
    drum: Annotated[Path | None, typer.Option(metavar="HIT", help="A hit of the drum that plays.")] = None,
    kind: Annotated[str, typer.Option(help="Without --drum: a new tom, 808 or bell, made by the model.")] = "tom",
    channel: Annotated[int | None, typer.Option(min=1, max=16, help="Only the notes of this channel.")] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="SCALE", help="Move notes to the nearest of a scale, as 'C minor'.")
    ] = None,
    octaves: Annotated[
        int | None, typer.Option(min=-8, max=8, help="Octaves up; by default those that bring it nearest to the drum.")
    ] = None,
    amount: Annotated[float, typer.Option(min=0, max=2, help="How much strokes differ.")] = 1.0,
    drum_class: tool_options.DrumClass = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    seed: tool_options.Seed = 1,
    steps: tool_options.Steps = None,
    model: options.Model = None,
) -> None:
    """Play the notes of a MIDI file on a tuned drum: each note is a new stroke at its pitch."""
    import numpy as np
    from rich.console import Console
    from rich.progress import Progress

    from ghostnote.bridge.dsp.conversion import resample
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.inference.variation import Variation
    from ghostnote.bridge.io.audio_file import format_for, write_audio
    from ghostnote.bridge.io.output_guard import check_outputs, numbered
    from ghostnote.bridge.tools import melody as tools

    wanted = output or Path(f"{song.stem}-melody.wav")
    target = output or numbered(wanted)
    format_for(target, bits)
    check_outputs((target,), (song, drum, model))
    generator = Generator.open(model)
    notes = _notes(song, channel, scale)
    audio, own_rate, name = _drum(drum, kind, drum_class, seed, generator)
    try:
        own_hz = tools.drum_pitch(audio, own_rate)
        moved = octaves if octaves is not None else tools.nearest_octaves(notes, own_hz)
        notes = [tools.Note(note.seconds, note.pitch + 12 * moved, note.velocity) for note in notes]
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("Playing", total=len(notes))
            mix = tools.play_melody(
                notes,
                audio,
                own_rate,
                name,
                generator=generator,
                variation=Variation(seed, amount, steps=steps),
                pitch_hz=own_hz,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except InputError as error:
        raise InputError(f"{drum or kind}: {error}") from error
    peak = float(np.abs(mix).max())
    final_rate = rate or own_rate
    write_audio(target, resample(mix / np.float32(max(peak, 1.0)), own_rate, final_rate), final_rate, bits)
    options.tell_numbered(wanted, target)
    by = f", {counted(abs(moved), 'octave')} {'up' if moved > 0 else 'down'}" if moved else ""
    echo(f"{target}: {counted(len(notes), 'note')}{by} on a {name.replace('_', ' ')} of {own_hz:.1f} Hz")
    if peak > 1:
        echo(f"note: turned down by {20 * np.log10(peak):.1f} dB, or it would clip", err=True)


def _notes(song: Path, channel: int | None, scale: str | None) -> list[Note]:
    """Return the notes of a song, or of one of its channels, moved to a scale if one is given."""
    from ghostnote.bridge.errors import MidiFileError
    from ghostnote.bridge.midi.events import NoteOn
    from ghostnote.bridge.midi.smf_reader import read_midi
    from ghostnote.bridge.tools.melody import Note, in_scale, read_scale

    rate = 48_000
    wanted = read_scale(scale) if scale else None
    played = [event for event in read_midi(song, rate).events if isinstance(event, NoteOn)]
    kept = [event for event in played if channel is None or event.channel == channel - 1]
    if not kept:
        there = ", ".join(str(number + 1) for number in sorted({event.channel for event in played}))
        raise MidiFileError(f"{song}: has no notes on channel {channel}, only on {there}")
    pitches = [in_scale(event.note, wanted) if wanted else event.note for event in kept]
    return [Note(event.frame / rate, pitch, event.velocity) for event, pitch in zip(kept, pitches, strict=True)]


def _drum(
    drum: Path | None, kind: str, drum_class: str | None, seed: int, generator: Generator
) -> tuple[NDArray[np.float32], int, str]:
    """Return the hit that plays, its rate and its class: a file's, or a new one of a kind."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.inference.stroke_source import generate_drum
    from ghostnote.bridge.io.audio_file import read_audio
    from ghostnote.bridge.tools.description import class_of

    if drum is not None:
        audio, rate = read_audio(drum)
        return audio, rate, class_of(drum, audio, rate, drum_class).drum_class
    if kind not in _KINDS:
        raise InputError(f"--kind {kind}: choose one of {', '.join(_KINDS)}, or give a --drum")
    name, own = _KINDS[kind]
    return generate_drum(generator, name, seed, kind=own)[None], generator.card.rate, name

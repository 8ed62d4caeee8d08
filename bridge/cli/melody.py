"""`ghostnote melody`: a tuned drum plays the notes of MIDI files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli import drum_options, options, tool_options
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.inference.variation import Variation
    from ghostnote.bridge.tools.melody import Note

_KINDS: Final = {"tom": ("tom", "mid_tom"), "808": ("kick", "electronic_kick"), "bell": ("perc", "agogo")}
_DEFAULT_KIND: Final = "tom"


def melody(
    songs: Annotated[
        list[Path],
        typer.Argument(metavar="SONG.mid...", help="MIDI files whose notes are played, and folders of them."),
    ],
    output: tool_options.Output = None,
    drum: Annotated[Path | None, typer.Option(metavar="HIT", help="A hit of the drum that plays.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="Without --drum: a new tom, 808 or bell, made by the model; by default a tom.")
    ] = None,
    channel: Annotated[int | None, typer.Option(min=1, max=16, help="Only the notes of this channel.")] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="SCALE", help="Move notes to the nearest of a scale, as 'C minor'.")
    ] = None,
    octaves: Annotated[
        int | None, typer.Option(min=-8, max=8, help="Octaves up; by default those that bring it nearest to the drum.")
    ] = None,
    amount: Annotated[float, typer.Option(min=0, max=2, help="How much strokes differ.")] = 1.0,
    drum_class: Annotated[
        str | None,
        typer.Option(
            "--class",
            "-c",
            metavar="CLASS",
            help="The class of --drum; by default guessed.",
            callback=drum_options.class_given,
            is_eager=True,
        ),
    ] = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    seed: tool_options.Seed = 1,
    steps: tool_options.Steps = None,
    model: options.Model = None,
) -> None:
    """Play the notes of MIDI files on a tuned drum: each note is a new stroke at its pitch."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.inference.variation import Variation
    from ghostnote.bridge.io.output_guard import check_outputs
    from ghostnote.bridge.tools.files import plan
    from ghostnote.bridge.tools.melody import read_scale
    from ghostnote.bridge.tools.output_form import OutputForm

    _check_drum(drum, kind, drum_class)
    tasks = plan(songs, OutputForm("melody", output, bits=bits, rate=rate, drum_class=drum_class), songs=True)
    check_outputs((task.target for task in tasks), (*(task.source for task in tasks), drum, model))
    variation = Variation(seed, amount, steps=steps)
    form = _Form(channel, read_scale(scale) if scale else None, octaves, rate, bits, variation)
    generator = Generator.open(model)
    played = _drum(drum, kind or _DEFAULT_KIND, drum_class, seed, generator)
    failed = 0
    for task in tasks:
        try:
            _play(task.source, task.target, played, form, generator)
        except InputError as error:
            if len(tasks) == 1:
                raise
            echo(f"failed: {error}", err=True)
            failed += 1
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Form:
    """How songs are played."""

    channel: int | None
    scale: tuple[int, tuple[int, ...]] | None
    """Its root and its steps."""
    octaves: int | None
    rate: int | None
    bits: int | None
    variation: Variation


@dataclass(frozen=True, eq=False)
class _Drum:
    """What plays them."""

    name: str
    """The file's, or the kind's."""
    audio: NDArray[np.float32]
    rate: int
    drum_class: str
    pitch_hz: float


def _check_drum(drum: Path | None, kind: str | None, drum_class: str | None) -> None:
    """Raise `InputError` for options that do not go together, or name no kind."""
    from ghostnote.bridge.errors import InputError

    if drum is None and kind not in (*_KINDS, None):
        raise InputError(f"--kind {kind}: choose one of {', '.join(_KINDS)}, or give a --drum")
    if drum is None and drum_class is not None:
        raise InputError(f"--class {drum_class}: is of a --drum; without one give --kind, as in --kind {_DEFAULT_KIND}")
    if drum is not None and kind is not None:
        raise InputError(f"--kind {kind}: is of a drum that the model makes; leave it out beside --drum {drum}")


def _play(song: Path, wanted: Path, drum: _Drum, form: _Form, generator: Generator) -> None:
    """Write what a song sounds like on a drum, and say so; `InputError`."""
    import numpy as np
    from rich.console import Console
    from rich.progress import Progress

    from ghostnote.bridge.dsp.conversion import resample
    from ghostnote.bridge.dsp.loudness import LEAST_SAID_DB
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.io.audio_file import write_audio
    from ghostnote.bridge.io.output_guard import numbered
    from ghostnote.bridge.tools import melody as tools

    notes = _notes(song, form.channel, form.scale)
    moved = form.octaves if form.octaves is not None else tools.nearest_octaves(notes, drum.pitch_hz)
    notes = [tools.Note(note.seconds, note.pitch + 12 * moved, note.velocity) for note in notes]
    _check_notes(notes, song, drum, moved)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Playing", total=len(notes))
        try:
            mix = tools.play_melody(
                notes,
                drum.audio,
                drum.rate,
                drum.drum_class,
                generator=generator,
                variation=form.variation,
                pitch_hz=drum.pitch_hz,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        except InputError as error:
            raise InputError(f"{song} on {drum.name}: {error}") from error
    peak, target = float(np.abs(mix).max()), numbered(wanted)
    rate = form.rate or drum.rate
    write_audio(target, resample(mix / np.float32(max(peak, 1.0)), drum.rate, rate), rate, form.bits)
    options.tell_numbered(wanted, target)
    name = drum.drum_class.replace("_", " ")
    echo(f"{target}: {counted(len(notes), 'note')}{_octaves(moved)} on a {name} of {drum.pitch_hz:.1f} Hz")
    down_db = 20 * np.log10(max(peak, 1.0))
    if down_db >= LEAST_SAID_DB:
        echo(f"note: turned down by {down_db:.1f} dB, or it would clip", err=True)


def _check_notes(notes: list[Note], song: Path, drum: _Drum, moved: int) -> None:
    """Raise `InputError` for a note that the drum cannot play, as the song has it before it was moved by octaves."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.tools.melody import far_note, note_hz

    far = far_note(notes, drum.pitch_hz)
    if far:
        raise InputError(
            f"{song} on {drum.name}: note {far.pitch - 12 * moved:g}{_octaves(moved)} is {note_hz(far.pitch):.0f} Hz, "
            f"more than three octaves from the drum's {drum.pitch_hz:.0f} Hz: give other --octaves, or another drum"
        )


def _octaves(moved: int) -> str:
    return f", {counted(abs(moved), 'octave')} {'up' if moved > 0 else 'down'}," if moved else ""


def _notes(song: Path, channel: int | None, scale: tuple[int, tuple[int, ...]] | None) -> list[Note]:
    """Return the notes of a song, or of one of its channels, moved to a scale if one is given."""
    from ghostnote.bridge.errors import MidiFileError
    from ghostnote.bridge.midi.events import NoteOn
    from ghostnote.bridge.midi.smf_reader import read_midi
    from ghostnote.bridge.tools.melody import Note, in_scale

    rate = 48_000
    played = [event for event in read_midi(song, rate).events if isinstance(event, NoteOn)]
    kept = [event for event in played if channel is None or event.channel == channel - 1]
    if not kept:
        there = ", ".join(str(number + 1) for number in sorted({event.channel for event in played}))
        raise MidiFileError(f"{song}: has no notes on channel {channel}, only on {there}")
    pitches = [in_scale(event.note, scale) if scale else event.note for event in kept]
    return [Note(event.frame / rate, pitch, event.velocity) for event, pitch in zip(kept, pitches, strict=True)]


def _drum(drum: Path | None, kind: str, drum_class: str | None, seed: int, generator: Generator) -> _Drum:
    """Return what plays, a file's hit or a new one of a kind; say so where its pitch is not clear. `InputError`."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.inference.stroke_source import generate_drum
    from ghostnote.bridge.io.audio_file import read_audio
    from ghostnote.bridge.tools.arguments import MOST_CHANNELS, checked
    from ghostnote.bridge.tools.description import class_of
    from ghostnote.bridge.tools.pitch import CLEAR, drum_pitch

    if drum is not None:
        audio, rate = read_audio(drum)
        name = class_of(drum, audio, rate, drum_class).drum_class
    else:
        name, own = _KINDS[kind]
        audio, rate = generate_drum(generator, name, seed, kind=own)[None], generator.card.rate
    said = str(drum) if drum else f"--kind {kind} --seed {seed}"
    try:
        pitch = drum_pitch(checked(audio, rate, MOST_CHANNELS), rate)
    except InputError as error:
        raise InputError(f"{said}: {error}") from error
    if pitch.clarity < CLEAR:
        remedy = "a tom, a bell or an 808's kick has more" if drum else "another --seed may have more"
        at = f"{pitch.clarity:.0%} of its energy is at its pitch, {pitch.hz:.0f} Hz, and a clear one has {CLEAR:.0%}"
        echo(f"warning: {said}: {at}: the melody may be hard to hear; {remedy}", err=True)
    return _Drum(said, audio, rate, name, pitch.hz)

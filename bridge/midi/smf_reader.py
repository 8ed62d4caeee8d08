"""The notes and chokes of a standard MIDI file, placed to the frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.midi.events import Event, NoteOn, PositionReader
from ghostnote.bridge.midi.smf_tracks import SET_TEMPO, Message, MidiTracks, read_tracks
from ghostnote.bridge.midi.spec import SYSEX, SYSEX_END

MAX_SONG_SECONDS: Final = 4 * 3600
"""Later events are left out: a wrong delta time in a damaged file would otherwise last for months."""
DEFAULT_TEMPO: Final = 500_000
"""Microseconds a beat until a file says otherwise: 120 beats a minute."""


@dataclass(frozen=True)
class MidiSong:
    """All events of a song that a drum kit can play."""

    events: tuple[Event, ...]
    """In the order of time; at one tick in the order of tracks, and of the file inside a track."""
    end_frame: int
    """Where the longest track ends."""
    rate: int
    """Frames a second of every `frame` here."""
    ppq: int
    """Ticks a beat."""
    warnings: tuple[str, ...] = ()
    """What could not be read, one message each."""
    channel: int | None = None
    """The channel, from 0, whose events these are; None for all."""
    beats: tuple[float, ...] = ()
    """Where each event stands in beats, by the file's ticks; empty for a song that no file holds."""
    beat_frames: tuple[float, ...] = ()
    """How long a beat is there."""


def read_midi(path: Path, rate: int) -> MidiSong:
    """Read a MIDI file of type 0 or 1 as events at `rate` frames a second.

    The tempo map runs over all tracks, any channel counts, and a damaged track keeps what stands before
    the damage: the song's `warnings` say so. `MidiFileError` when there is no note to play.
    """
    song = _timeline(read_tracks(path), rate)
    if not any(isinstance(event, NoteOn) for event in song.events):
        raise MidiFileError("; ".join((f"{path}: holds no notes; name a file that has some", *song.warnings)))
    return song


def placed_messages(file: MidiTracks, rate: int) -> Iterator[tuple[Message, int, int]]:
    """Yield the messages of all tracks in the order of time, each with its frame by the tempo map, and the tempo there.

    Exact integers, so that it does not drift by a frame in an hour.
    """
    tempo = file.fixed_tempo or DEFAULT_TEMPO
    unit = file.ppq * 1_000_000
    tick = elapsed = 0
    for message in sorted((m for track in file.tracks for m in track), key=lambda m: m.tick):
        elapsed += (message.tick - tick) * tempo
        tick = message.tick
        yield message, (elapsed * rate + unit // 2) // unit, tempo
        if message.meta == SET_TEMPO and not file.fixed_tempo:
            tempo = message.tempo or tempo


def _timeline(file: MidiTracks, rate: int) -> MidiSong:
    events: list[Event] = []
    beats: list[tuple[float, float]] = []
    warnings = list(file.warnings)
    end = late = 0
    reader = PositionReader()
    for message, frame, tempo in placed_messages(file, rate):
        if frame > MAX_SONG_SECONDS * rate:
            late += message.status < SYSEX
            continue
        if message.status in (SYSEX, SYSEX_END):
            continue
        end = frame
        event = reader.event(frame, message.status, message.data)
        if event:
            events.append(event)
            beats.append((message.tick / file.ppq, tempo * rate / 1e6))
        if message.meta == SET_TEMPO and not file.fixed_tempo and (len(message.data) != 4 or not message.tempo):
            warnings.append(f"the tempo at tick {message.tick} is zero or damaged")
    if late:
        warnings.append(f"{late} events later than {MAX_SONG_SECONDS // 3600} hours are left out")
    at, lengths = zip(*beats, strict=True) if beats else ((), ())
    return MidiSong(tuple(events), end, rate, file.ppq, tuple(warnings), None, at, lengths)

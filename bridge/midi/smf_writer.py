"""Writes a humanized song as a MIDI file: the score's file with its notes moved."""

import io
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mido

from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.midi.events import Event, NoteOn
from ghostnote.bridge.midi.humanize import Humanized
from ghostnote.bridge.midi.smf_reader import CONTROLLERS, DEFAULT_TEMPO

FINE_PPQ: Final = 9600
"""Ticks a beat are multiplied up to about this: at 480 a tick lasts a millisecond, as long as a deviation."""


@dataclass
class _Note:
    """One message and its place, in ticks of the new file."""

    tick: int
    message: Any


def write_humanized(score: Path, take: Humanized, target: Path) -> None:
    """Write the file `score` to `target` with each event where `take` has it; everything else stays.

    Ticks become finer, notes keep their lengths. `MidiFileError` for a score that is damaged, so that not
    all of it was played, or in SMPTE time.
    """
    file = _opened(score)
    scale = max(1, FINE_PPQ // file.ticks_per_beat)
    tracks = [_absolute(track, scale) for track in file.tracks]
    clock = _Clock(tracks, file.ticks_per_beat * scale)
    merged = sorted((note for track in tracks for note in track), key=lambda note: note.tick)
    played = [note for note in merged if _is_event(note.message)]
    if len(played) != len(take.placed):
        raise MidiFileError(
            f"{score}: is damaged, {len(take.placed)} of its {len(played)} events could be played; "
            "export it again before --midi-out"
        )
    moved = {
        id(note): _place(note, event, clock, take.song.rate) for note, event in zip(played, take.placed, strict=True)
    }
    for track in tracks:
        _move_ends(track, moved)
    for note in played:
        note.tick = max(0, note.tick + moved[id(note)])
    file.ticks_per_beat *= scale
    file.tracks = [_relative(track) for track in tracks]
    packed = io.BytesIO()
    file.save(file=packed)
    write_bytes(target, packed.getvalue())


class _Clock:
    """The tempo map of all tracks: seconds to ticks."""

    def __init__(self, tracks: list[list[_Note]], ppq: int) -> None:
        self._ppq = ppq
        self._seconds, self._ticks, self._tempi = [0.0], [0], [DEFAULT_TEMPO]
        changes = (n for track in tracks for n in track if n.message.type == "set_tempo")
        for note in sorted(changes, key=lambda n: n.tick):
            elapsed = (note.tick - self._ticks[-1]) * self._tempi[-1] / ppq / 1e6
            self._seconds.append(self._seconds[-1] + elapsed)
            self._ticks.append(note.tick)
            self._tempi.append(note.message.tempo or self._tempi[-1])

    def tick(self, seconds: float) -> int:
        """Return the tick nearest to a time."""
        at = max(0, bisect_right(self._seconds, seconds) - 1)
        return round(self._ticks[at] + (seconds - self._seconds[at]) * 1e6 * self._ppq / self._tempi[at])


def _opened(score: Path) -> Any:
    try:
        file = mido.MidiFile(score, clip=True)
    # mido's parser raises all kinds of exceptions for a damaged file, without a common class.
    except Exception as error:
        raise MidiFileError(f"{score}: is damaged ({error}); export it again before --midi-out") from error
    if file.ticks_per_beat <= 0:
        raise MidiFileError(f"{score}: counts in SMPTE time; save it in ticks per beat before --midi-out")
    return file


def _absolute(track: Any, scale: int) -> list[_Note]:
    notes, tick = [], 0
    for message in track:
        tick += message.time * scale
        notes.append(_Note(tick, message))
    return notes


def _relative(track: list[_Note]) -> Any:
    """Return the track in the order of its ticks, its end last."""
    out, tick = mido.MidiTrack(), 0
    for note in sorted(track, key=lambda n: (n.message.type == "end_of_track", n.tick)):
        out.append(note.message.copy(time=max(0, note.tick - tick)))
        tick = max(tick, note.tick)
    return out


def _is_event(message: Any) -> bool:
    """Return whether `read_midi` reads a message as an event."""
    if message.type == "control_change":
        return message.control in CONTROLLERS
    kinds = {"note_on": "velocity", "polytouch": "value"}
    return message.type in kinds and getattr(message, kinds[message.type]) > 0


def _place(note: _Note, event: Event, clock: _Clock, rate: int) -> int:
    """Return by how many ticks a message moves, and set its velocity."""
    if isinstance(event, NoteOn):
        note.message = note.message.copy(velocity=event.velocity)
    return clock.tick(event.frame / rate) - note.tick


def _move_ends(track: list[_Note], moved: dict[int, int]) -> None:
    """Move each note's end with its beginning."""
    pending: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    for note in _notes(track):
        key = (note.message.channel, note.message.note)
        if id(note) in moved:
            pending[key].append(moved[id(note)])
        elif pending[key]:
            note.tick = max(0, note.tick + pending[key].popleft())


def _notes(track: list[_Note]) -> Iterator[_Note]:
    return (note for note in track if note.message.type in ("note_on", "note_off"))

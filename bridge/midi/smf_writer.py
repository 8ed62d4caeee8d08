"""Writes a humanized song as a MIDI file: the score's file with its notes moved."""

import struct
from bisect import bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.midi.events import NoteOn, event_of, says_position
from ghostnote.bridge.midi.humanize import Humanized
from ghostnote.bridge.midi.smf_reader import DEFAULT_TEMPO, MAX_SONG_SECONDS, placed_messages
from ghostnote.bridge.midi.smf_tracks import END_OF_TRACK, META, SET_TEMPO, Message, MidiTracks, read_tracks
from ghostnote.bridge.midi.spec import LONGEST_TIME, SYSEX, variable_length

FINE_PPQ: Final = 9600
"""Ticks a beat are multiplied up to about this: at 480 a tick lasts a millisecond, as long as a deviation."""

_FILLER: Final = bytes((META, 1, 0))
"""An empty text: it divides a time that is too long for one number."""
_NOTE_OFF, _NOTE_ON = 0x80, 0x90


@dataclass
class _Entry:
    """A message at its place in ticks of the new file."""

    tick: int
    status: int
    data: bytes

    @property
    def ends_track(self) -> bool:
        return self.status == META and self.data[0] == END_OF_TRACK

    def packed(self) -> bytes:
        if self.status < SYSEX:
            return bytes((self.status,)) + self.data
        # The length counts what follows it: a meta event's type stands before it.
        kind, body = (self.data[:1], self.data[1:]) if self.status == META else (b"", self.data)
        return bytes((self.status,)) + kind + variable_length(len(body)) + body


def write_humanized(score: Path, take: Humanized, target: Path) -> None:
    """Write the file `score` to `target` with each event where `take` has it; all else that can be read stays.

    Ticks become finer and count beats, in SMPTE time too; notes keep their lengths. `MidiFileError` for a score that
    has changed since it was played.
    """
    file, rate = read_tracks(score), take.song.rate
    scale = max(1, FINE_PPQ // file.ppq)
    timely = [(m, frame) for m, frame, _ in placed_messages(file, rate) if frame <= MAX_SONG_SECONDS * rate]
    events = ((m, frame, event_of(frame, m.status, m.data)) for m, frame in timely)
    channels = {take.song.channel, None} if take.song.channel is not None else {*range(16), None}
    played = [(m, frame) for m, frame, event in events if event and event.channel in channels]
    if len(played) != len(take.placed):
        raise MidiFileError(f"{score}: has changed since it was read; render it again for --midi-out")
    entries = {id(m): _entry(m, scale) for m, _ in timely if _is_kept(m, file)}
    tracks = [[entries[id(m)] for m in track if id(m) in entries] for track in file.tracks]
    clock = _Clock(tracks, file, scale)
    shifts: dict[int, int] = {}
    for (message, frame), event in zip(played, take.placed, strict=True):
        entry = entries[id(message)]
        shifts[id(entry)] = clock.tick(event.frame / rate) - entry.tick if event.frame != frame else 0
        if isinstance(event, NoteOn):
            entry.data = bytes((event.note, event.velocity))
    for track in tracks:
        _move(track, shifts | _position_shifts(track, shifts))
    if file.fixed_tempo:
        tracks[0].insert(0, _Entry(0, META, _tempo(file.fixed_tempo)))
    kind = int(file.kind > 0 or len(tracks) > 1)
    header = struct.pack(">4sIHHH", b"MThd", 6, kind, min(len(tracks), 0xFFFF), file.ppq * scale)
    write_bytes(target, header + b"".join(map(_packed, tracks)))


class _Clock:
    """The tempo map of all tracks: seconds to ticks."""

    def __init__(self, tracks: list[list[_Entry]], file: MidiTracks, scale: int) -> None:
        self._ppq = file.ppq * scale
        self._seconds, self._ticks, self._tempi = [0.0], [0], [file.fixed_tempo or DEFAULT_TEMPO]
        changes = (e for track in tracks for e in track if e.status == META and e.data[0] == SET_TEMPO)
        for entry in sorted(changes, key=lambda e: e.tick):
            elapsed = (entry.tick - self._ticks[-1]) * self._tempi[-1] / self._ppq / 1e6
            self._seconds.append(self._seconds[-1] + elapsed)
            self._ticks.append(entry.tick)
            self._tempi.append(int.from_bytes(entry.data[1:], "big"))

    def tick(self, seconds: float) -> int:
        """Return the tick nearest to a time."""
        at = max(0, bisect_right(self._seconds, seconds) - 1)
        return round(self._ticks[at] + (seconds - self._seconds[at]) * 1e6 * self._ppq / self._tempi[at])


def _is_kept(message: Message, file: MidiTracks) -> bool:
    """Return whether a message stays: a tempo that the reader ignores would count in the new file."""
    return message.meta != SET_TEMPO or (not file.fixed_tempo and message.tempo > 0)


def _entry(message: Message, scale: int) -> _Entry:
    data = _tempo(message.tempo) if message.meta == SET_TEMPO else message.data
    return _Entry(message.tick * scale, message.status, data)


def _tempo(microseconds: int) -> bytes:
    return bytes((SET_TEMPO,)) + microseconds.to_bytes(3, "big")


def _position_shifts(track: list[_Entry], shifts: dict[int, int]) -> dict[int, int]:
    """Return the shifts of messages that say where a drum is struck: each stays before its note."""
    found: dict[int, int] = {}
    following: dict[int, int] = {}
    for entry in reversed(track):
        if entry.status & 0xF0 == _NOTE_ON and id(entry) in shifts:
            following[entry.status & 0x0F] = shifts[id(entry)]
        elif says_position(entry.status, entry.data):
            found[id(entry)] = following.get(entry.status & 0x0F, 0)
    return found


def _move(track: list[_Entry], shifts: dict[int, int]) -> None:
    """Move the events of a track, and each note's end with its beginning."""
    pending: dict[tuple[int, int], deque[int]] = defaultdict(deque)
    for entry in track:
        kind, key = entry.status & 0xF0, (entry.status & 0x0F, entry.data[0] if entry.data else 0)
        shift = shifts.get(id(entry), 0)
        if id(entry) in shifts and kind == _NOTE_ON:
            pending[key].append(shift)
        elif kind in (_NOTE_OFF, _NOTE_ON) and pending[key]:
            shift = pending[key].popleft()
        entry.tick = max(0, entry.tick + shift)


def _packed(track: list[_Entry]) -> bytes:
    """Return a track's chunk: its messages in the order of their ticks, with running status, its end last."""
    body, now, running = bytearray(), 0, 0
    for entry in sorted(track, key=lambda e: (e.ends_track, e.tick)):
        if not entry.ends_track:
            repeats = entry.status == running < SYSEX and entry.tick - now <= LONGEST_TIME
            body += _time(entry.tick - now) + entry.packed()[repeats:]
            now, running = entry.tick, entry.status
    end = max((entry.tick for entry in track), default=0)
    body += _time(end - now) + bytes((META, END_OF_TRACK, 0))
    return struct.pack(">4sI", b"MTrk", len(body)) + bytes(body)


def _time(ticks: int) -> bytes:
    """Return the ticks between two messages, however many."""
    parts, rest = divmod(ticks, LONGEST_TIME)
    return (variable_length(LONGEST_TIME) + _FILLER) * parts + variable_length(rest)

"""Standard MIDI files as tracks of messages: all that can be read of them, and what cannot.

The file is read here rather than by mido because mido gives up a whole file at its first bad byte, and
a damaged song's readable part should still play. The format is that of the *Standard MIDI Files 1.0*
specification (MIDI Manufacturers Association, 1996).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.io.input_file import read_head
from ghostnote.bridge.midi.spec import CHANNEL_DATA_BYTES, SYSEX, SYSEX_END, SYSTEM_DATA_BYTES

MAX_FILE_BYTES: Final = 64 * 2**20
MAX_EVENTS: Final = 1_000_000
"""A file of more is refused: each takes 200 bytes of memory and three of the file."""
DEFAULT_PPQ: Final = 480

_SMPTE: Final = {24: (24, 1_000_000), 25: (25, 1_000_000), 29: (30, 1_001_000), 30: (30, 1_000_000)}
"""Frames a second as written → whole frames in a "beat" and that beat's microseconds (29 is 29.97)."""
META, END_OF_TRACK, SET_TEMPO, SEQUENCER_SPECIFIC = 0xFF, 0x2F, 0x51, 0x7F


@dataclass(frozen=True, slots=True)
class Message:
    """What stands at one place of a track."""

    tick: int
    status: int
    """A channel message's status with its channel, that of a sysex or its continuation, or `META`."""
    data: bytes
    """A meta event's type and body, a sysex's body, or a channel message's data bytes."""

    @property
    def meta(self) -> int | None:
        """The type of a meta event."""
        return self.data[0] if self.status == META else None

    @property
    def tempo(self) -> int:
        """Microseconds a beat of a `SET_TEMPO`; 0 for one that is damaged."""
        return int.from_bytes(self.data[1:4], "big")


@dataclass(frozen=True)
class MidiTracks:
    """A MIDI file as far as it can be read."""

    kind: int
    tracks: list[list[Message]]
    ppq: int
    """Ticks a beat."""
    fixed_tempo: int | None
    """Microseconds a beat where no tempo may change them (SMPTE time)."""
    warnings: list[str]


class _DamageError(Exception):
    """A track holds bytes that are not MIDI."""


class _Cursor:
    """A reading position in a track's bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise _DamageError("it ends in the middle of an event")
        taken, self.at = self.data[self.at : end], end
        return taken

    def number(self) -> int:
        """Read a variable-length quantity of at most four bytes."""
        value = 0
        for _ in range(4):
            byte = self.take(1)[0]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise _DamageError("a number runs over four bytes")


def read_bytes(path: Path) -> bytes:
    """Return a MIDI file's bytes; `MidiFileError` for what is not a file, or larger than `MAX_FILE_BYTES`."""
    data = read_head(path, "a MIDI file", MidiFileError, MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise MidiFileError(f"{path}: is larger than {MAX_FILE_BYTES >> 20} MiB; name a MIDI file")
    return data


def read_tracks(path: Path) -> MidiTracks:
    """Read the messages of a MIDI file of type 0 or 1, or of one in a RIFF wrapper; `MidiFileError` if it is none."""
    data = read_bytes(path)
    start = data.find(b"MThd")
    header = data[start + 8 : start + 14]
    if start < 0 or len(header) < 6:
        raise MidiFileError(f"{path}: is not a MIDI file, for it has no MThd header; export it again as .mid")
    kind, declared, division = (int.from_bytes(header[i : i + 2], "big") for i in (0, 2, 4))
    if kind == 2:
        raise MidiFileError(f"{path}: is of type 2, patterns without an order; save it as type 0 or 1")
    warnings: list[str] = []
    ppq, fixed_tempo = _clock(division, warnings)
    body_at = start + 8 + max(6, int.from_bytes(data[start + 4 : start + 8], "big"))
    tracks = _tracks(data, body_at if body_at <= len(data) else start + 14, warnings)
    if len(tracks) < declared:
        warnings.append(f"the header promises {declared} tracks, {len(tracks)} are there")
    messages: list[list[Message]] = []
    for number, track in enumerate(tracks, 1):
        messages.append(_salvage(number, track, warnings))
        if sum(map(len, messages)) > MAX_EVENTS:
            raise MidiFileError(f"{path}: holds more than {MAX_EVENTS:,} events; keep the drum part alone")
    return MidiTracks(kind, messages, ppq, fixed_tempo, warnings)


def own_events(path: Path) -> Iterator[bytes]:
    """Yield the body of each sequencer-specific event; `MidiFileError` for a file that is not whole."""
    data, warnings = read_bytes(path), list[str]()
    tracks = _tracks(data, 14, warnings) if data.startswith(b"MThd") else []
    try:
        for track in tracks:
            for message in _messages(_Cursor(track)):
                if message.status == META and message.data[0] == SEQUENCER_SPECIFIC:
                    yield message.data[1:]
    except _DamageError as damage:
        warnings.append(str(damage))
    if warnings or not tracks:
        raise MidiFileError("; ".join((f"{path}: is not a whole MIDI file", *warnings)))


def _clock(division: int, warnings: list[str]) -> tuple[int, int | None]:
    """Return ticks a beat, and the microseconds a beat where no tempo may change them (SMPTE time)."""
    if not division & 0x8000 and division:
        return division, None
    frames, beat = _SMPTE.get(256 - (division >> 8), (0, 0))
    ticks = division & 0xFF
    if frames and ticks:
        return frames * ticks, beat
    warnings.append(f"the header's time division {division} is invalid: {DEFAULT_PPQ} ticks a beat are assumed")
    return DEFAULT_PPQ, None


def _tracks(data: bytes, at: int, warnings: list[str]) -> list[bytes]:
    """Cut the bytes from `at` into the bodies of MTrk chunks, going on at the next one after damage."""
    tracks: list[bytes] = []
    while at < len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        end = at + 8 + length
        if kind == b"MTrk":
            if end > len(data):
                following = data.find(b"MTrk", at + 8)
                end = len(data) if following < 0 else following
                warnings.append(f"track {len(tracks) + 1} is cut short: {end - at - 8} of {length} bytes are there")
            tracks.append(data[at + 8 : end])
        elif not (kind.isascii() and kind.isalnum() and end <= len(data)):
            following = data.find(b"MTrk", at + 1)
            end = len(data) if following < 0 else following
            if data[at:end].strip(b"\0"):
                warnings.append(f"{end - at} bytes at {at} belong to no track and are skipped")
        at = end
    return tracks


def _salvage(number: int, track: bytes, warnings: list[str]) -> list[Message]:
    """Return a track's messages up to its end or its first damage."""
    messages: list[Message] = []
    cursor = _Cursor(track)
    try:
        # What was read before the damage stays.
        messages.extend(islice(_messages(cursor), MAX_EVENTS + 1))
    except _DamageError as damage:
        warnings.append(
            f"track {number} is damaged at byte {cursor.at} of {len(track)}, {damage}: its rest is left out"
        )
    return messages


def _messages(cursor: _Cursor) -> Iterator[Message]:
    """Parse one track; running status outlives meta events, as many programs write it."""
    tick = running = 0
    while cursor.at < len(cursor.data):
        tick += cursor.number()
        status = cursor.take(1)[0]
        if status < 0x80:
            cursor.at -= 1
            status = running
        if status == META:
            data = cursor.take(1) + cursor.take(cursor.number())
            yield Message(tick, META, data)
            if data[0] == END_OF_TRACK:
                return
        elif status in (SYSEX, SYSEX_END):
            yield Message(tick, status, cursor.take(cursor.number()))
        elif status > SYSEX:
            cursor.take(SYSTEM_DATA_BYTES.get(status, 0))
        elif status & 0xF0 in CHANNEL_DATA_BYTES:
            running = status
            data = cursor.take(CHANNEL_DATA_BYTES[status & 0xF0])
            if max(data) > 0x7F:
                raise _DamageError("an event's data is over 127")
            yield Message(tick, status, data)
        else:
            raise _DamageError("an event has no status")

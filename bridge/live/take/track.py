"""The track of a take as bytes: what was played as marks of our own, and beside each a note for other programs."""

import json
from collections import deque
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.kit.effects import effect_table
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.take.format import MARK, TakeEffects, TakeEvent, TakeFade, TakeStroke

_NOTE_ON, _NOTE_OFF = 0x99, 0x89
_OWN, _END = b"\xff\x7f", b"\xff\x2f\x00"
_TEMPOS: Final = (500_000, 250_000, 125_000, 1_000_000)
_MAX_PPQ: Final = 0x7FFF


class Track:
    """The events of a MIDI track as bytes, in the order of time; what was added stays as it is."""

    def __init__(self, note_frames: int) -> None:
        """Let the notes for other programs last so many frames."""
        self.body = bytearray()
        self._note_frames = note_frames
        self._at = 0
        self._ends: deque[tuple[int, int]] = deque()
        self._ids: dict[Pad, int] = {}

    def add(self, event: TakeEvent, note: int, velocity: int) -> None:
        """Add what happened, and after a stroke the note for other programs."""
        while self._ends and self._ends[0][0] <= event.frame:
            frame, ended = self._ends.popleft()
            self._put(frame, bytes((_NOTE_OFF, ended, 0)))
        if isinstance(event, TakeFade):
            table = {"fade": event.pads, "frame": event.frame, "seconds": event.seconds}
            younger = {} if event.younger is None else {"younger": event.younger}
            self._put(event.frame, mark({**table, **younger, **_channel_of(event)}))
            return
        if isinstance(event, TakeEffects):
            effects = {name: [effect_table(each, _whole) for each in row] for name, row in event.effects.items()}
            self._put(event.frame, mark({"effects": effects, "frame": event.frame}))
            return
        self._put(event.frame, mark(self._stroke(event)))
        self._put(event.frame, bytes((_NOTE_ON, note, velocity)))
        self._ends.append((event.frame + self._note_frames, note))

    def tail(self, end_frame: int) -> bytes:
        """Return the ends of the notes that still sound, and the track's end."""
        at, out = self._at, bytearray()
        for frame, note in self._ends:
            out += length(max(0, frame - at)) + bytes((_NOTE_OFF, note, 0))
            at = frame
        return bytes(out + length(max(0, end_frame - at)) + _END)

    def _stroke(self, event: TakeStroke) -> dict[str, Any]:
        """Return what makes a stroke again; the settings of its pad go before it, once."""
        # Effects come by themselves, as they are no part of strokes.
        if event.pad not in self._ids:
            settings = {
                field.name: getattr(event.pad, field.name)
                for field in fields(Pad)
                if field.name not in ("effects", "out")
            }
            hit = str(real_path(event.pad.hit)) if event.pad.hit else None
            hits = [{**asdict(each), "file": str(real_path(each.file))} for each in event.pad.hits]
            table = {"id": len(self._ids), "pad": {**settings, "hit": hit, "hits": hits}}
            self._put(event.frame, mark(table))
            self._ids[event.pad] = len(self._ids)
        return {
            "frame": event.frame,
            "of": self._ids[event.pad],
            "index": event.index,
            "velocity": event.velocity,
            "gains": event.gains,
            **_channel_of(event),
        }

    def _put(self, frame: int, message: bytes) -> None:
        self.body += length(max(0, frame - self._at)) + message
        self._at = max(self._at, frame)


def _whole(file: Path) -> str:
    return str(real_path(file))


def _channel_of(event: TakeStroke | TakeFade) -> dict[str, int]:
    return {} if event.channel is None else {"channel": event.channel}


def mark(table: dict[str, Any]) -> bytes:
    """Return a table as an event of our own, which other programs leave out."""
    data = MARK + json.dumps(table).encode()
    return _OWN + length(len(data)) + data


def length(value: int) -> bytes:
    """Return a number as MIDI files write lengths and times: seven bits a byte, the last byte below 128."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def clock(rate: int) -> tuple[int, int]:
    """Return ticks a beat and microseconds a beat that make a tick a frame, or come close."""
    for tempo in _TEMPOS:
        ppq, remainder = divmod(rate * tempo, 1_000_000)
        if not remainder and ppq <= _MAX_PPQ:
            return ppq, tempo
    return min(_MAX_PPQ, rate), 1_000_000

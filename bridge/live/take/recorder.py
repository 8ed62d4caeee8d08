"""Records what is played and keeps it on the disk, so that a daemon that is killed loses seconds, not the take."""

import json
import logging
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
from ghostnote.bridge.io.output_guard import numbered
from ghostnote.bridge.io.recording import FROZEN_SECONDS, spare_folders
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.hit import Hit
from ghostnote.bridge.live.supervised import supervised
from ghostnote.bridge.live.take.format import MARK, TAKE_VERSION, TakeFade, TakeStroke

SAVE_SECONDS: Final = 3.0
"""How often the file is written anew while more is played."""

_MOST_SHARE: Final = 0.05
"""How much of the time writing may take; a long take is written less often."""
_LONGEST_PAUSE: Final = 30.0
"""In seconds: a disk that was slow once must not cost minutes of a take."""
_NOTE_SECONDS: Final = 0.05
_NOTE_ON, _NOTE_OFF = 0x99, 0x89
_TEMPO, _NAME, _OWN, _END = b"\xff\x51\x03", b"\xff\x03", b"\xff\x7f", b"\xff\x2f\x00"
_TEMPOS: Final = (500_000, 250_000, 125_000, 1_000_000)
_MAX_PPQ: Final = 0x7FFF

_logger = logging.getLogger(__name__)


class TakeRecorder:
    """Records what an engine plays; `stroke` and `fade` are cheap enough for its thread."""

    def __init__(self, path: Path, rate: int, limiter: bool) -> None:
        """Record for the file `path`, or the next free number of it; `OutputError` if its folder cannot be made."""
        prepare_folder(path.parent)
        self.strokes = 0
        """How many strokes were recorded."""
        self.path = numbered(path)
        self._is_begun = self._is_behind = False
        self._rate, self._limiter = rate, limiter
        self._inbox: deque[tuple[TakeStroke | TakeFade, int, int]] = deque()
        self._track = _Track(max(1, round(_NOTE_SECONDS * rate)))
        self._saving = threading.Lock()

    @property
    def is_ahead(self) -> bool:
        """Whether more was played than was saved."""
        return self._is_behind or bool(self._inbox)

    def stroke(
        self, frame: int, pad: Pad, velocity: int, hit: Hit, gains: tuple[float, float], channel: int | None = None
    ) -> None:
        """Note that a hit of a MIDI channel began."""
        stroke = TakeStroke(frame, hit.pad, hit.index, hit.velocity, gains, channel)
        self._inbox.append((stroke, pad.notes[0] if pad.notes else 0, velocity))
        self.strokes += 1

    def fade(self, frame: int, pads: tuple[str, ...], seconds: float, channel: int | None = None) -> None:
        """Note that what sounded on these pads, or those of its notes of one channel, began to fade."""
        self._inbox.append((TakeFade(frame, pads, seconds, channel), 0, 0))

    def save(self, end_frame: int) -> None:
        """Write the file, whole or not at all; `OutputError`."""
        if not self._is_begun:
            # Another take may have come to be under this name since.
            self.path = numbered(self.path)
        self._is_behind = True
        write_bytes(self.path, self._packed(end_frame))
        self._is_begun, self._is_behind = True, False

    def save_elsewhere(self, end_frame: int, folder: Path) -> None:
        """Write the whole take into another folder, and go on there; `OutputError`."""
        path = numbered(folder / self.path.name)
        write_bytes(path, self._packed(end_frame))
        self.path = path

    def _packed(self, end_frame: int) -> bytes:
        with self._saving:
            while self._inbox:
                self._track.add(*self._inbox.popleft())
            track = b"".join((self._head(end_frame), self._track.body, self._track.tail(end_frame)))
        header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, _clock(self._rate)[0])
        return header + struct.pack(">4sI", b"MTrk", len(track)) + track

    def _head(self, end_frame: int) -> bytes:
        """Return the track's first events, all at its beginning."""
        name = b"ghostnote take"
        table = {"take": TAKE_VERSION, "rate": self._rate, "end": end_frame, "limiter": self._limiter}
        tempo = _clock(self._rate)[1].to_bytes(3, "big")
        return b"\0".join((b"", _TEMPO + tempo, _NAME + _length(len(name)) + name, _mark(table)))


class _Track:
    """The events of a MIDI track as bytes, in the order of time; what was added stays as it is."""

    def __init__(self, note_frames: int) -> None:
        self.body = bytearray()
        self._note_frames = note_frames
        self._at = 0
        self._ends: deque[tuple[int, int]] = deque()
        self._ids: dict[Pad, int] = {}

    def add(self, event: TakeStroke | TakeFade, note: int, velocity: int) -> None:
        """Add what happened, and after a stroke the note for other programs."""
        while self._ends and self._ends[0][0] <= event.frame:
            frame, ended = self._ends.popleft()
            self._put(frame, bytes((_NOTE_OFF, ended, 0)))
        if isinstance(event, TakeFade):
            table = {"fade": event.pads, "frame": event.frame, "seconds": event.seconds}
            self._put(event.frame, _mark(table | _channel_of(event)))
            return
        self._put(event.frame, _mark(self._stroke(event)))
        self._put(event.frame, bytes((_NOTE_ON, note, velocity)))
        self._ends.append((event.frame + self._note_frames, note))

    def tail(self, end_frame: int) -> bytes:
        """Return the ends of the notes that still sound, and the track's end."""
        at, out = self._at, bytearray()
        for frame, note in self._ends:
            out += _length(max(0, frame - at)) + bytes((_NOTE_OFF, note, 0))
            at = frame
        return bytes(out + _length(max(0, end_frame - at)) + _END)

    def _stroke(self, event: TakeStroke) -> dict[str, Any]:
        """Return what makes a stroke again; the settings of its pad go before it, once."""
        if event.pad not in self._ids:
            settings = {field.name: getattr(event.pad, field.name) for field in fields(Pad)}
            hit = str(event.pad.hit.resolve()) if event.pad.hit else None
            table = {"id": len(self._ids), "pad": {**settings, "hit": hit}}
            self._put(event.frame, _mark(table))
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
        self.body += _length(max(0, frame - self._at)) + message
        self._at = max(self._at, frame)


class TakeSaver:
    """Saves a take every few seconds from a thread of its own, and in the end. A context manager."""

    def __init__(
        self,
        recorder: TakeRecorder,
        frame: Callable[[], int],
        say: Callable[[str], None],
        trouble: Callable[[str], None],
    ) -> None:
        """Save up to what `frame` returns; errors are reported to `trouble`, and in the end to `say`."""
        self._recorder, self._frame, self._say, self._trouble = recorder, frame, say, trouble
        self._pause = SAVE_SECONDS
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._save_on, name="take", daemon=True)

    def __enter__(self) -> "TakeSaver":
        """Begin."""
        self._thread.start()
        _logger.info("take %s begun", self._recorder.path)
        return self

    def __exit__(self, *_: object) -> None:
        """Save what was played; `OutputError`. Nothing is written when nothing was."""
        self._stopping.set()
        self._thread.join(FROZEN_SECONDS)
        if self._recorder.strokes:
            self._save_last()
        _logger.info("take %s ended: %d strokes", self._recorder.path, self._recorder.strokes)

    def _save_last(self) -> None:
        """Save at the place, or where that fails or stands still, in the first folder that takes it."""
        wanted, frame, failure = self._recorder.path, self._frame(), "its disk takes nothing"
        if not self._thread.is_alive():
            failure = self._failure(partial(self._recorder.save, frame))
        for folder in spare_folders() if failure else ():
            if not self._failure(partial(self._recorder.save_elsewhere, frame, folder)):
                self._say(f"{wanted}: {failure}; the whole take is {self._recorder.path}")
                return
        if failure:
            raise OutputError(failure)

    def _failure(self, save: Callable[[], None]) -> str:
        """Save, and return what went wrong, or nothing."""
        wrong = ["its disk takes nothing"]

        def saved() -> None:
            try:
                save()
                wrong[0] = ""
            except Exception as error:  # whatever it is, the take is saved elsewhere
                wrong[0] = str(error) or repr(error)

        thread = threading.Thread(target=saved, name="take", daemon=True)
        thread.start()
        thread.join(FROZEN_SECONDS)
        return wrong[0]

    def _save_on(self) -> None:
        supervised(self._turn, self._stopping, self._trouble)

    def _turn(self) -> None:
        if self._stopping.wait(self._pause) or not self._recorder.is_ahead:
            return
        began = time.monotonic()
        try:
            self._recorder.save(self._frame())
        finally:
            self._pause = max(SAVE_SECONDS, min((time.monotonic() - began) / _MOST_SHARE, _LONGEST_PAUSE))


def _channel_of(event: TakeStroke | TakeFade) -> dict[str, int]:
    return {} if event.channel is None else {"channel": event.channel}


def _mark(table: dict[str, Any]) -> bytes:
    data = MARK + json.dumps(table).encode()
    return _OWN + _length(len(data)) + data


def _length(value: int) -> bytes:
    """Return a number as MIDI files write lengths and times: seven bits a byte, the last byte below 128."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def _clock(rate: int) -> tuple[int, int]:
    """Return ticks a beat and microseconds a beat that make a tick a frame, or come close."""
    for tempo in _TEMPOS:
        ppq, remainder = divmod(rate * tempo, 1_000_000)
        if not remainder and ppq <= _MAX_PPQ:
            return ppq, tempo
    return min(_MAX_PPQ, rate), 1_000_000

"""Records what is played and keeps it on the disk, so that a daemon that is killed loses seconds, not the take."""

import logging
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
from ghostnote.bridge.io.output_guard import numbered
from ghostnote.bridge.io.recording import FROZEN_SECONDS, spare_folders
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.hit import Hit
from ghostnote.bridge.live.supervised import supervised
from ghostnote.bridge.live.take.format import TAKE_VERSION, TakeEffects, TakeEvent, TakeFade, TakeStroke
from ghostnote.bridge.live.take.track import Track, clock, length, mark
from ghostnote.bridge.render.performer import Fade

SAVE_SECONDS: Final = 3.0
"""How often the file is written anew while more is played."""

_MOST_SHARE: Final = 0.05
"""How much of the time writing may take; a long take is written less often."""
_LONGEST_PAUSE: Final = 30.0
"""In seconds: a disk that was slow once must not cost minutes of a take."""
_NOTE_SECONDS: Final = 0.05
_TEMPO, _NAME = b"\xff\x51\x03", b"\xff\x03"
_SLOW_SECONDS: Final = 5.0
"""A disk that takes longer for a take is named."""

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
        self._version = 1
        self._rate, self._limiter = rate, limiter
        self._inbox: deque[tuple[TakeEvent, int, int]] = deque()
        self._track = Track(max(1, round(_NOTE_SECONDS * rate)))
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

    def fade(self, frame: int, pads: tuple[str, ...], fade: Fade) -> None:
        """Note that what sounded on pads of these names, or what of it `fade` means, began to fade."""
        self._inbox.append((TakeFade(frame, pads, fade.seconds, fade.channel, fade.younger), 0, 0))

    def effects(self, frame: int, kit: Kit) -> None:
        """Note that the pads and the mix have the effects of a kit from here on."""
        self._version = TAKE_VERSION
        self._inbox.append((TakeEffects(frame, kit.all_effects), 0, 0))

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
        header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, clock(self._rate)[0])
        return header + struct.pack(">4sI", b"MTrk", len(track)) + track

    def _head(self, end_frame: int) -> bytes:
        """Return the track's first events, all at its beginning."""
        name = b"ghostnote take"
        table = {"take": self._version, "rate": self._rate, "end": end_frame, "limiter": self._limiter}
        tempo = clock(self._rate)[1].to_bytes(3, "big")
        return b"\0".join((b"", _TEMPO + tempo, _NAME + length(len(name)) + name, mark(table)))


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
        self._began = 0.0
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

    @property
    def trouble(self) -> str:
        """What is wrong with a disk that takes nothing, or nothing."""
        began = self._began
        is_slow = began and time.monotonic() - began > _SLOW_SECONDS
        return f"the disk of {self._recorder.path} takes nothing" if is_slow else ""

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
        self._began = began = time.monotonic()
        try:
            self._recorder.save(self._frame())
        finally:
            self._began = 0.0
            self._pause = max(SAVE_SECONDS, min((time.monotonic() - began) / _MOST_SHARE, _LONGEST_PAUSE))

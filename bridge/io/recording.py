"""Recordings: sound that is played once, written as it sounds, and kept whatever the disk does.

A recording is unfinished under its name with `PART_SUFFIX`. No other run removes it, and `finish` completes it.
"""

import os
import shutil
import struct
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.atomic_file import output_errors, prepare_folder
from ghostnote.bridge.io.audio_file import AudioWriter
from ghostnote.bridge.io.header_repair import repair_header
from ghostnote.bridge.io.output_guard import numbered
from ghostnote.bridge.io.partial_files import is_locked, lock

PART_SUFFIX: Final = ".ghostnote-part"
"""The ending of an unfinished recording's name."""
CLOSE_SECONDS: Final = 45.0
"""How long a slow disk may take for what still waits at the end."""
FROZEN_SECONDS: Final = 20.0
"""A disk that takes nothing for so long is left for another."""

_MOST_WAITING_SECONDS: Final = 600.0
_FREE_BYTES: Final = 2**24
"""A folder with less room is not gone on in."""
_RETRY_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.01
_JOINED: Final = 64
"""So many blocks are written at once where a disk is slow to answer and twice as many wait."""
_SLOW_SECONDS: Final = 3.0
"""So much sound may wait before that is called trouble."""

Audio = NDArray[np.float32]


class Recording:
    """Writes blocks from a thread of its own: they wait in memory while the disk cannot take them.

    When a file fails, what it holds is kept, and the recording goes on under the next name, on another disk if need be.
    """

    def __init__(self, path: Path, rate: int, say: Callable[[str], None]) -> None:
        """Record for `path`, or the next free number of it; what goes wrong is reported to `say`."""
        self.files: list[Path] = []
        """The finished files."""
        self._path, self._rate, self._say = path, rate, say
        self._waiting: deque[Audio] = deque()
        self._lost_frames = self._block_frames = 0
        self._failure = ""
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._progress = time.monotonic()
        self._trying = path.parent
        self._left: set[Path] = set()
        self._writer: threading.Thread | None = None

    @property
    def trouble(self) -> str:
        """Why what is played waits for a disk, or nothing."""
        is_late = len(self._waiting) * self._block_frames > _SLOW_SECONDS * self._rate
        return self._failure or (f"the disk of {self._trying} takes nothing" if is_late else "")

    def open(self) -> None:
        """Begin the first file; `OutputError` where that cannot be done."""
        prepare_folder(self._path.parent)
        self._begin(_Part(self._path, self._rate))

    def put(self, block: Audio) -> None:
        """Append a block (2, frames), in no time."""
        if len(self._waiting) * block.shape[1] > _MOST_WAITING_SECONDS * self._rate:
            if not self._lost_frames:
                self._say("no disk takes the recording, and memory ends: what is played from now on is lost")
            self._lost_frames += block.shape[1]
            return
        if not self._waiting:
            self._progress = time.monotonic()
        self._block_frames = block.shape[1]
        self._waiting.append(block.copy())
        self._leave_frozen()

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Write what waits, and finish; what is not on a disk within so many seconds is lost, and said to be."""
        self._ended.set()
        until = time.monotonic() + seconds
        while self._writer and self._writer.is_alive() and time.monotonic() < until:
            self._writer.join(_POLL_SECONDS)
            self._leave_frozen()
        self._lost_frames += sum(block.shape[1] for block in self._waiting)
        if self._lost_frames:
            self._say(f"no disk took the recording's last {self._lost_frames / self._rate:.1f} s: they are lost")
        elif self._writer and self._writer.is_alive():
            self._say(f"the disk of {self._path} does not finish the file: run 'ghostnote recover' there later")

    def _begin(self, part: "_Part | None") -> None:
        self._progress = time.monotonic()
        self._writer = threading.Thread(target=self._write_on, args=(part,), name="recording", daemon=True)
        self._writer.start()

    def _leave_frozen(self) -> None:
        """Go on elsewhere if the disk has taken nothing for long."""
        if self._waiting and time.monotonic() - self._progress > FROZEN_SECONDS:
            self._failure = f"the disk of {self._trying} takes nothing"
            self._say(f"{self._failure}: the recording goes on elsewhere")
            self._left.add(self._trying)
            self._begin(None)

    def _write_on(self, part: "_Part | None") -> None:
        """Write what waits into one file after another, until the recording ends or another thread goes on."""
        while part := part or self._next_part():
            error = self._fill(part)
            kept = part.finish()
            self.files += [kept] if kept else []
            if not error:
                if kept and kept != self._path:
                    self._say(f"the recording is {kept}")
                return
            self._failure, seconds = error, part.frames / self._rate
            self._say(f"{error}; {f'{seconds:.1f} s are kept in {kept}' if kept else 'nothing is in it'}, going on")
            if seconds < 1.0:
                self._left.add(part.folder)
            part = None

    def _fill(self, part: "_Part") -> str:
        """Write what waits, and return what stopped it, or nothing at the recording's end."""
        while self._writer is threading.current_thread():
            if not self._waiting:
                if self._ended.is_set():
                    return ""
                time.sleep(_POLL_SECONDS)
                continue
            count = _JOINED if len(self._waiting) > 2 * _JOINED else 1
            try:
                part.write(np.concatenate([self._waiting[number] for number in range(count)], axis=1))
            except Exception as error:  # whatever is wrong with one file, the next takes what waits
                return str(error) or repr(error)
            with self._lock:
                # Where this disk stood still, another file holds the block by now.
                if self._writer is threading.current_thread():
                    for _ in range(count):
                        self._waiting.popleft()
                    self._progress, self._failure = time.monotonic(), ""
        return ""

    def _next_part(self) -> "_Part | None":
        """Return a new file in the first folder that takes one, or None once nothing is left to write."""
        while self._writer is threading.current_thread() and (self._waiting or not self._ended.is_set()):
            for folder in (self._path.parent, *spare_folders()):
                self._trying = folder
                with suppress(Exception):
                    if folder not in self._left and shutil.disk_usage(folder).free > _FREE_BYTES:
                        part = _Part(folder / self._path.name, self._rate)
                        self._say(f"the recording goes on in {part.place}")
                        return part
            self._left.clear()
            self._progress = time.monotonic()
            time.sleep(_RETRY_SECONDS)
        return None


class _Part:
    """One file of a recording."""

    def __init__(self, path: Path, rate: int) -> None:
        """Open it; `OutputError`."""
        self.folder = path.parent
        free = numbered(path, PART_SUFFIX)
        self.place = free.with_name(free.name + PART_SUFFIX)
        with output_errors(self.place):
            self._file = self.place.open("x+b")
        try:
            lock(self._file.fileno())
            self._writer = AudioWriter(path, rate, into=self._file)
            self._writer.__enter__()
        except BaseException:
            self._file.close()
            self.place.unlink(missing_ok=True)
            raise

    @property
    def frames(self) -> int:
        """How long it is."""
        return self._writer.frames

    def write(self, block: Audio) -> None:
        """Append a block, so that it is there after the process is killed; `OutputError`."""
        self._writer.write(block)
        with output_errors(self.place):
            self._file.flush()

    def finish(self) -> Path | None:
        """Give it its name, and return that; None if it holds nothing, or its disk does not take the end."""
        with suppress(Exception):
            self._writer.__exit__(None, None, None)
        with suppress(OSError):
            self._file.close()
        with suppress(Exception):
            if self.frames:
                return finish(self.place)
            self.place.unlink(missing_ok=True)
        return None


def spare_folders() -> list[Path]:
    """Return where a recording goes on when its own disk fails."""
    folders = []
    with suppress(OSError, RuntimeError):
        folders.append(Path.home())
    with suppress(OSError):
        folders.append(Path(tempfile.gettempdir()))
    return folders


def unfinished(folder: Path) -> list[Path]:
    """Return the recordings in a folder that a killed process left unfinished."""
    return sorted(path for path in folder.glob(f"*{PART_SUFFIX}") if path.is_file() and not is_locked(path))


def finish(part: Path) -> Path:
    """Repair the header of an unfinished recording, give it its name, numbered if need be, and return that.

    `OutputError` where the file cannot be written.
    """
    with output_errors(part):
        with part.open("r+b") as file:
            try:
                repair_header(file)
            except (KeyError, struct.error, ZeroDivisionError):
                raise OutputError(f"cannot recover {part}: it holds no sound; remove it") from None
            file.flush()
            os.fsync(file.fileno())
        target = numbered(part.with_name(part.name.removesuffix(PART_SUFFIX)))
        part.rename(target)
    return target

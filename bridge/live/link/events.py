"""What happens in a session as frames: strokes with their waveforms, notices, and how it does."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ghostnote.bridge.dsp.velocity import velocity_gain
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.kit.save import kit_text
from ghostnote.bridge.live.commands import Played
from ghostnote.bridge.live.hit import Hit
from ghostnote.bridge.live.link.frames import json_frame
from ghostnote.bridge.live.link.waveform import waveform
from ghostnote.bridge.live.pad_parameters import Value, slug
from ghostnote.bridge.live.session import Session

MOST_DRAWN: Final = 8
"""Strokes of one look whose waveforms are sent."""
ROOT_FOLDER: Final = Path("/")
"""In the text of a kit that a page asks for, files are counted from here."""

_FACTS_SECONDS: Final = 0.5
_MOST_STROKES: Final = 64

Facts = Callable[[], dict[str, Value]]


class Events:
    """Takes note of what happens, on whatever thread, for the one that tells the pages."""

    def __init__(self, session: Session, facts: Facts) -> None:
        """Take note of nothing until it `is_watched`."""
        self.is_watched = False
        self.block = (0, 0.0)
        """A block's first frame, and when it began in `perf_counter` seconds."""
        self._session, self._facts = session, facts
        self._facts_due = 0.0
        self._strokes: deque[tuple[Played, Hit, int]] = deque(maxlen=_MOST_STROKES)
        self._changes: deque[tuple[str, tuple[Value, ...]]] = deque(maxlen=_MOST_STROKES)

    def watch(self, note: Played, hit: Hit, frame: int) -> None:
        """Take note of a stroke; the audio thread's."""
        if self.is_watched:
            self._strokes.append((note, hit, frame))

    def listen(self, address: str, values: tuple[Value, ...]) -> None:
        """Take note of a change that no state shows."""
        if self.is_watched and address.partition("/")[0] in ("notice", "kit", "freeze"):
            self._changes.append((address, values))

    def news(self) -> list[bytes]:
        """Return what happened since the last look."""
        strokes, changes = [], []
        while self._strokes:
            strokes.append(self._strokes.popleft())
        while self._changes:
            changes.append(self._changes.popleft())
        found = [self._stroke(*stroke, n >= len(strokes) - MOST_DRAWN) for n, stroke in enumerate(strokes)]
        found += [json_frame({"type": "change", "address": address, "values": values}) for address, values in changes]
        if any(address in ("kit/save", "kit/load") for address, _ in changes):
            found.append(self.kits())
        now = time.perf_counter()
        if now >= self._facts_due:
            self._facts_due = now + _FACTS_SECONDS
            found.append(self.status())
        return found

    def _stroke(self, note: Played, hit: Hit, at_frame: int, is_drawn: bool) -> bytes:
        rate, (block_frame, began) = self._session.engine.rate, self.block
        message: dict[str, object] = {
            "type": "played",
            "pad": slug(note.pad),
            "velocity": note.velocity,
            "origin": note.origin.value,
            "at": began + (at_frame - block_frame) / rate,
            "index": hit.index,
        }
        if is_drawn:
            gain = velocity_gain(note.velocity) / velocity_gain(hit.velocity)
            drawn = waveform(hit.audio)
            message |= {"wave": drawn.ends, "peak": float(gain) * drawn.peak, "seconds": drawn.frames / rate}
        return json_frame(message)

    def kits(self) -> bytes:
        """Return the frame of the kits that can be loaded."""
        try:
            names = self._session.kit_names()
        except GhostnoteError as error:
            self._session.say(str(error))
            names = []
        return json_frame({"type": "kits", "names": names})

    def kit_text(self) -> bytes:
        """Return the kit as the text of a kit file in the root folder."""
        try:
            return json_frame({"type": "kit_text", "text": kit_text(self._session.kit, ROOT_FOLDER), "error": ""})
        except GhostnoteError as error:
            return json_frame({"type": "kit_text", "text": "", "error": str(error)})

    def status(self) -> bytes:
        """Return the frame of how the daemon does."""
        return json_frame({"type": "status", "facts": self._facts()})

"""Plays the grid's pattern: strokes are sent ahead of their time, and the daemon places them to the frame."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.line import DaemonLine, Stroke
from ghostnote.bridge.page.pattern import BARS, RATE, STEPS, Pattern, changed, kit_of, song_of

AHEAD_SECONDS: Final = 0.12
"""How long before its time a stroke is sent; a step that is set later sounds the next time."""

_TICK_SECONDS: Final = 0.03
_START_SECONDS: Final = 0.08


class GridPlayer:
    """Holds the pattern that all browsers see, and plays it."""

    def __init__(self, hub: Hub, line: DaemonLine, clock: Callable[[], float] = time.time) -> None:
        """Play by `line`; `clock` counts seconds since 1970."""
        self._hub, self._line, self._clock = hub, line, clock
        self.pattern = Pattern()
        self._task: asyncio.Task[None] | None = None
        self._tell()

    @property
    def is_playing(self) -> bool:
        """Whether the pattern plays."""
        return self._task is not None and not self._task.done()

    def change(self, change: Mapping[str, Any]) -> None:
        """Change the pattern; `InputError`."""
        self.pattern = changed(self.pattern, change)
        self._tell()

    def play(self, on: bool) -> None:
        """Begin, or stop."""
        if on and not self.is_playing:
            self._task = asyncio.create_task(self._run())
        elif not on and self._task:
            self._task.cancel()
            self._task = None
        self._tell()

    def song(self, bars: int) -> MidiSong:
        """Return the pattern as it plays."""
        return song_of(self.pattern, kit_of([*self._hub.pads.values()]), bars)

    def _tell(self) -> None:
        self._hub.tell({"type": "grid", "playing": self.is_playing, **asdict(self.pattern)})

    async def _run(self) -> None:
        course = Course(self._clock() + _START_SECONDS, self.pattern)
        step = -1
        with suppress(asyncio.CancelledError):
            while True:
                pads = [*self._hub.pads.values()]
                self._line.strike(course.due(self._clock(), self.pattern, pads))
                now = course.step(self._clock())
                if now != step:
                    step = now
                    self._hub.tell({"type": "position", "step": step})
                await asyncio.sleep(_TICK_SECONDS)


class Course:
    """How far a pattern has been played. Places are counted in bars, so that a new tempo keeps them."""

    def __init__(self, origin: float, pattern: Pattern) -> None:
        """Begin at a moment, in seconds since 1970."""
        self._origin, self._pattern = origin, pattern
        self._sent, self._part = 0.0, 0
        self._of: tuple[object, ...] = ()
        self._song = MidiSong((), 0, RATE, 1)

    def step(self, now: float) -> int:
        """Return the step that sounds at a moment."""
        return int((now - self._origin) / self._pattern.bar_seconds * STEPS) % STEPS

    def due(self, now: float, pattern: Pattern, pads: list[dict[str, Any]]) -> list[Stroke]:
        """Return the strokes that have come near since the last call."""
        if pattern.tempo != self._pattern.tempo:
            self._origin = now - (now - self._origin) / self._pattern.bar_seconds * pattern.bar_seconds
        self._pattern = pattern
        bar = pattern.bar_seconds
        until = (now - self._origin + AHEAD_SECONDS) / bar
        found = self._between(self._sent, min(until, BARS), pads)
        self._sent = max(self._sent, until)
        if until >= BARS:
            self._origin += BARS * bar
            self._sent, self._part = 0.0, self._part + 1
            found += self._between(0.0, until - BARS, pads)
            self._sent = until - BARS
        return found

    def _between(self, after: float, until: float, pads: list[dict[str, Any]]) -> list[Stroke]:
        """Return the strokes of a stretch of the part, in bars."""
        of = (self._pattern, self._part, *pads)
        if of != self._of:
            self._of, self._song = of, song_of(self._pattern, kit_of(pads), BARS, self._part)
        slugs = {note: str(pad["slug"]) for pad in pads for note in pad["notes"]}
        bar_frames = self._pattern.bar_seconds * RATE
        return [
            (slugs[event.note], event.velocity, self._origin + event.frame / RATE)
            for event in self._song.events
            if isinstance(event, NoteOn) and after <= event.frame / bar_frames < until
        ]

"""Notes of one drum at one instant are one stroke: pads that trigger twice send them, and tracks that are doubled."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from ghostnote.bridge.midi.events import Event, NoteOn

INSTANT_SECONDS: Final = 0.004
"""Notes of a drum that follow its instant's first within this are the same stroke. Our own choice: no drummer strikes a
drum twice so fast (flams are some 12 ms or more), and it is as long as pads ring on."""


class Instants:
    """Leaves one note of each drum's instant; it may be asked block by block, as it remembers the last of each drum."""

    def __init__(self, rate: int) -> None:
        """Start before every drum's first note, at `rate` frames a second."""
        self.doubles = 0
        """How many notes were the stroke of another."""
        self._frames = round(INSTANT_SECONDS * rate)
        # The first frame and the loudest velocity of each drum's last instant.
        self._last: dict[int, tuple[float, int]] = {}

    def strokes(self, events: Sequence[Event | None], pad_of: Callable[[int], int | None]) -> list[Event | None]:
        """Return events in the order of time with None for the notes that are the stroke of another.

        The first of an instant gets the velocity of the loudest. If it was returned by an earlier call, a louder one
        remains, and replaces what sounds already. `pad_of` returns the number of a note's pad.
        """
        kept = [*events]
        place: dict[int, int] = {}
        for at, event in enumerate(events):
            pad = pad_of(event.note) if isinstance(event, NoteOn) else None
            if pad is None or not isinstance(event, NoteOn):
                continue
            first, velocity = self._last.get(pad, (-math.inf, 0))
            if not first <= event.frame <= first + self._frames:
                self._last[pad], place[pad] = (event.frame, event.velocity), at
                continue
            self.doubles += 1
            kept[at] = None
            if event.velocity > velocity:
                self._last[pad] = first, event.velocity
                earlier = kept[place[pad]] if pad in place else None
                note = earlier if isinstance(earlier, NoteOn) else replace(event, replaces=True)
                kept[place.setdefault(pad, at)] = replace(note, velocity=event.velocity)
        return kept

"""What a bounce asks for next: songs repeat themselves, and what followed the same strokes before is likely."""

from typing import Final, NamedTuple

from ghostnote.bridge.plugin.stroke_makers import Stroke

_CONTEXT: Final = 12
"""So many strokes must have come in the same order before."""
_REMEMBERED: Final = 50_000
_MOST_READY: Final = 48
"""Strokes that may wait for being asked for."""


class Wish(NamedTuple):
    """A stroke that a bounce asks for."""

    pad: int
    knobs: tuple[float, ...]
    """Tune, decay, amount and width, as the host has them."""
    velocity: int
    number: int
    """Which of the pad's strokes."""


class Foresight:
    """Follows what one plugin asks for, and keeps the strokes that are made before they are asked for."""

    def __init__(self) -> None:
        """Begin without any past."""
        self._past: list[tuple[int, tuple[float, ...], int]] = []
        self._place_after: dict[tuple[object, ...], int] = {}
        self._again: int | None = None
        self._next_number: dict[int, int] = {}
        self._ready: dict[Wish, Stroke] = {}

    def add(self, wish: Wish) -> None:
        """Note a stroke that is asked for."""
        if len(self._past) >= _REMEMBERED:
            self._past, self._place_after = [], {}
        self._past.append((wish.pad, wish.knobs, wish.velocity))
        self._next_number[wish.pad] = wish.number + 1
        recent = tuple(self._past[-_CONTEXT:])
        self._again = self._place_after.get(recent) if len(recent) == _CONTEXT else None
        self._place_after[recent] = len(self._past)

    def following(self, count: int) -> list[Wish]:
        """Return what is likely to be asked for next, the next first; nothing where the last strokes are new."""
        if self._again is None:
            return []
        numbers, found = dict(self._next_number), []
        for ahead in range(count):
            # What came since then may come again in turn.
            pad, knobs, velocity = self._past[self._again + ahead % (len(self._past) - self._again)]
            found.append(Wish(pad, knobs, velocity, numbers[pad]))
            numbers[pad] += 1
        return found

    def keep(self, wish: Wish, stroke: Stroke) -> None:
        """Keep a stroke until it is asked for, or many others are kept."""
        self._ready[wish] = stroke
        while len(self._ready) > _MOST_READY:
            del self._ready[next(iter(self._ready))]

    def is_kept(self, wish: Wish) -> bool:
        """Return whether a stroke is made, or being made."""
        return wish in self._ready

    def take(self, wish: Wish) -> Stroke | None:
        """Return a stroke that was kept."""
        return self._ready.pop(wish, None)

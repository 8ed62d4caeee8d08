"""The drums that each pad had before, so that a re-roll can be taken back and made again."""

from collections import defaultdict, deque
from typing import Any, Final

from ghostnote.bridge.kit.fields import FieldError
from ghostnote.bridge.kit.kit import Pad

MOST_KEPT: Final = 64
"""Drums of a pad that are remembered; of more the oldest goes."""
DRUM_FIELDS: Final = ("seed", "drum", "drum_class", "kind", "hit", "hits", "velocity")
"""What of a pad makes its drum."""

Drum = dict[str, Any]
"""A pad's values of `DRUM_FIELDS`."""


class DrumHistory:
    """For each pad, by its name, the drums before the present one and those that were taken back."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._past: dict[str, deque[Drum]] = defaultdict(lambda: deque(maxlen=MOST_KEPT))
        self._future: dict[str, deque[Drum]] = defaultdict(lambda: deque(maxlen=MOST_KEPT))

    def note(self, pad: Pad) -> None:
        """Remember a pad's drum, which is about to change."""
        self._past[pad.name].append(_drum(pad))
        self._future[pad.name].clear()

    def back(self, pad: Pad, count: int = 1) -> Drum:
        """Return the drum of so many changes ago; `FieldError` where fewer are remembered."""
        return self._moved(pad, self._past, self._future, count, "undo")

    def forward(self, pad: Pad, count: int = 1) -> Drum:
        """Return the drum of so many changes that were taken back; `FieldError` for more than there were."""
        return self._moved(pad, self._future, self._past, count, "redo")

    def counts(self, name: str) -> tuple[int, int]:
        """Return how many changes of a pad can be taken back, and how many made again."""
        return len(self._past.get(name, ())), len(self._future.get(name, ()))

    def clear(self) -> None:
        """Forget all."""
        self._past.clear()
        self._future.clear()

    def _moved(
        self, pad: Pad, source: dict[str, deque[Drum]], target: dict[str, deque[Drum]], count: int, what: str
    ) -> Drum:
        there = len(source.get(pad.name, ()))
        if not 1 <= count <= there:
            raise FieldError(f"{what} = {count}, but pad '{pad.name}' has {there} changes to {what}")
        drum = _drum(pad)
        for _ in range(count):
            target[pad.name].append(drum)
            drum = source[pad.name].pop()
        return drum


def _drum(pad: Pad) -> Drum:
    return {name: getattr(pad, name) for name in DRUM_FIELDS}

"""The live pool, whose strokes lie in plugins' memory: the plugin takes them, and the daemon sees what it took."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from ghostnote.bridge.kit.fields import RANGES
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.hit import Audio, Hit, sides
from ghostnote.bridge.live.pool import PadQueue, Pool, StrokeRequest
from ghostnote.bridge.plugin import layout
from ghostnote.bridge.plugin.memory import PoolMemory

_NEUTRAL: Final = (0.0, 1.0, 1.0, 0.0)
"""The knobs' values where they do nothing: tune, decay, amount and width."""


def turned(pad: Pad, knobs: tuple[float, ...]) -> Pad:
    """Return a pad with a plugin's knobs on top of its own: semitones, factors of decay and amount, width."""
    if knobs == _NEUTRAL:
        return pad
    tune, decay, amount, width = knobs
    return replace(
        pad,
        tune=_inside("tune", pad.tune + tune),
        decay=_inside("decay", pad.decay * decay),
        amount=_inside("amount", pad.amount * amount),
        width=_inside("width", pad.width + width),
    )


def _inside(key: str, value: float) -> float:
    low, high = RANGES[key]
    return min(max(value, low), high)


class SharedQueue(PadQueue):
    """The strokes of one pad in a plugin's memory. `put` belongs to the thread that fills, `sync` to another."""

    def __init__(self, pad: Pad, number: int, memory: PoolMemory) -> None:
        """Start empty."""
        super().__init__(pad)
        self.kit_pad = pad
        """The pad as the kit has it."""
        self._number, self._memory = number, memory
        self._pushed: list[deque[Hit]] = [deque() for _ in range(layout.LAYERS + 1)]
        self._seen = [0] * (layout.LAYERS + 1)

    def put(self, request: StrokeRequest, audio: Audio) -> None:
        """Add a stroke to the memory; the first of new settings replaces what is left of the old."""
        row = layout.FALLBACK if request.layer is None else request.layer
        if request.generation != self.generation or not self._memory.has_room(self._number, row):
            return
        # Where both sides are the same, one is kept.
        slot = self._memory.store(audio if audio.strides[0] else audio[:1], request.velocity)
        if slot is None:
            return
        super().put(request, sides(self._memory.audio(slot)))
        self._pushed[row].append((self.fallback if request.layer is None else self.fresh[row])[-1])
        self._memory.push(self._number, row, slot, request.generation)
        self._memory.publish(self._memory.queues[self._number][row], "floor", request.generation)

    def sync(self, reads: list[int]) -> None:
        """Take note of what the plugin took, by how many strokes it has read of each queue."""
        for row, (pushed, read) in enumerate(zip(self._pushed, reads, strict=True)):
            while self._seen[row] != read and pushed:
                self._seen[row] = self._seen[row] + 1 & 0xFFFFFFFF
                hit = pushed.popleft()
                waiting = self.fallback if row == layout.FALLBACK else self.fresh[row]
                if waiting and waiting[0] is hit:
                    waiting.popleft()

    def wants(self, held: float) -> Iterator[tuple[float, int | None]]:
        """Yield what is not full, as long as the memory has room; of a host that only bounces, the fallbacks."""
        if not self._memory.is_full:
            is_offline = bool(self._memory.fields["offline"])
            yield from (want for want in super().wants(held) if not is_offline or want[1] is None)


class SharedPool(Pool):
    """The queues of all plugins that play at one rate."""

    def __init__(self, is_paused: Callable[[], bool]) -> None:
        """Make no strokes while `is_paused`, as when a bounce needs the processor."""
        super().__init__()
        self._is_paused = is_paused

    def next_request(self, process: int, held: float) -> StrokeRequest | None:
        """Return what the process of this number had best make now; None when all is full."""
        return None if self._is_paused() else super().next_request(process, held)

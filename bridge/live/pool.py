"""The pool: for every pad of a kit some strokes made ahead of their use, each of which is played once.

One thread plays from it and one fills it. They share only deques and lists, whose single steps are
atomic in Python, so that neither ever waits for the other.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.kit.kit import Pad

LAYER_VELOCITIES: Final = (16, 40, 64, 84, 104, 122)
"""The velocities at which strokes are made; a note gets the nearest, brought to its own level."""
FREEZE_MOST: Final = 16
"""How many of the last strokes of a pad can be frozen."""
BUDGET_BYTES: Final = 96 * 2**20
"""What the strokes that are kept may take before only the scarcest are made."""

_SPARES: Final = 3
_LEAST: Final = 1
_MOST: Final = 24
_DEMAND_SECONDS: Final = 4.0
_FIRST_LAYER: Final = 4
_STRANGER: Final = 0.4
"""How much fuller a pad must be before a process that has not opened its drum yet is set to it."""

Audio = NDArray[np.float32]


class Origin(Enum):
    """Where a note's sound came from."""

    FRESH = "fresh"
    """Made by the network and never played before."""
    SPARE = "spare"
    """Made without the network, never played before: the pool had run dry."""
    REPEAT = "repeat"
    """Played before, as even the spares had run out."""
    FROZEN = "frozen"
    """Played before, as the player wished."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A stroke in wait, and what it takes to make it again."""

    pad: Pad
    """The settings it was made with; `steps` is 0 for a spare."""
    index: int
    velocity: int
    generation: int
    audio: Audio
    """Left and right, (2, frames), as `sides` returns them."""

    @property
    def bytes_held(self) -> int:
        """What it takes: half as much where both sides are the same."""
        return self.audio.nbytes if self.audio.strides[0] else self.audio[0].nbytes


@dataclass(frozen=True, slots=True)
class Order:
    """A stroke that is to be made for a shelf."""

    shelf: "Shelf"
    pad: Pad
    index: int
    velocity: int
    generation: int
    layer: int | None
    """The shelf's velocity layer; None for a spare."""


def sides(channels: Audio) -> Audio:
    """Return one or two channels (channels, frames) as left and right (2, frames), one of them kept but once."""
    return np.broadcast_to(channels, (2, channels.shape[1]))


def layer_of(velocity: int) -> int:
    """Return the velocity layer that is nearest."""
    return min(range(len(LAYER_VELOCITIES)), key=lambda layer: abs(LAYER_VELOCITIES[layer] - velocity))


_LAYER_OF: Final = tuple(layer_of(velocity) for velocity in range(128))
_LAYERS: Final = range(len(LAYER_VELOCITIES))
_NEAR: Final = tuple(sorted(_LAYERS, key=lambda other: abs(other - layer)) for layer in _LAYERS)


class Shelf:
    """The strokes of one pad. `take` belongs to the thread that plays, all else to the one that fills."""

    def __init__(self, pad: Pad) -> None:
        """Start empty."""
        self.pad = pad
        self.generation = 0
        self.failed = ""
        """Why no strokes can be made with the present settings, or nothing."""
        self.fresh: list[deque[Hit]] = [deque() for _ in _LAYERS]
        self.spare: deque[Hit] = deque()
        self.recent: deque[Hit] = deque(maxlen=FREEZE_MOST)
        self.asked = [0.0 for _ in _LAYERS]
        """How often each layer was asked for in the last seconds."""
        self.under_way = [0 for _ in (*_LAYERS, None)]
        """Strokes that are being made: one count a layer, the spares last."""
        self.known_by: set[int] = set()
        """The numbers of the processes that have opened the pad's drum."""
        self._next_index = 0

    @property
    def depth(self) -> int:
        """How many strokes by the network wait."""
        return sum(len(queue) for queue in self.fresh)

    def take(self, velocity: int) -> tuple[Hit, Origin] | None:
        """Return a stroke for a note and where it comes from; None while there is none at all."""
        layer = _LAYER_OF[velocity]
        self.asked[layer] += 1
        near = _NEAR[layer]
        fresh = [(self.fresh[other], Origin.FRESH) for other in near]
        for queue, origin in (*fresh[:3], (self.spare, Origin.SPARE), *fresh[3:]):
            if queue:
                hit = queue.popleft()
                self.recent.append(hit)
                return hit, origin if hit.pad.steps else Origin.SPARE
        return (self.recent[-1], Origin.REPEAT) if self.recent else None

    def renew(self, pad: Pad) -> None:
        """Take other settings; if they sound different, what waits plays only until it is replaced."""
        if _sound(pad) != _sound(self.pad):
            self.generation += 1
            self.failed = ""
            self.known_by.clear()
        self.pad = pad

    def order(self, layer: int | None) -> Order:
        """Return the order for the next stroke of a layer, or for a spare."""
        self.under_way[-1 if layer is None else layer] += 1
        index, self._next_index = self._next_index, self._next_index + 1
        if layer is None:
            layer_asked = max(_LAYERS, key=lambda i: (self.asked[i], i == _FIRST_LAYER))
            pad, velocity = _without_network(self.pad), LAYER_VELOCITIES[layer_asked]
        else:
            pad, velocity = self.pad, LAYER_VELOCITIES[layer]
        return Order(self, pad, index, velocity, self.generation, layer)

    def put(self, order: Order, audio: Audio) -> None:
        """Add a stroke that was made; the first of new settings replaces what is left of the old."""
        if order.generation != self.generation:
            return
        hit = Hit(order.pad, order.index, order.velocity, order.generation, audio)
        queue = self.spare if order.layer is None else self.fresh[order.layer]
        if not queue or queue[-1].generation == order.generation:
            queue.append(hit)
        elif order.layer is None:
            self.spare = deque([hit])
        else:
            self.fresh[order.layer] = deque([hit])

    def close(self, order: Order) -> None:
        """Count an order as done, whatever came of it."""
        self.under_way[-1 if order.layer is None else order.layer] -= 1

    def wants(self, scarce: bool) -> Iterator[tuple[float, int | None]]:
        """Yield how full each layer is, from 0 to under 1, and the layer, for those that are not full."""
        if self.failed:
            return
        if not self._present(self.fresh[_FIRST_LAYER], _FIRST_LAYER) and not self.depth:
            yield -1.0, _FIRST_LAYER
        spares = self._present(self.spare, -1)
        if spares < _SPARES and self.pad.steps:
            yield spares / _SPARES / 2, None
        for layer in _LAYERS:
            most = _LEAST if scarce else min(_MOST, _LEAST + math.ceil(self.asked[layer] * 1.2))
            have = self._present(self.fresh[layer], layer)
            if have < most:
                yield have / most + 0.5 * (self.asked[layer] < 0.1), layer

    def _present(self, queue: deque[Hit], at: int) -> int:
        """Return how many strokes of the present settings wait in a queue or are being made."""
        current = len(queue) if not queue or queue[-1].generation == self.generation else 0
        return current + self.under_way[at]


class Pool:
    """The shelves of all pads that play."""

    def __init__(self) -> None:
        """Start without a shelf."""
        self.shelves: tuple[Shelf, ...] = ()

    def use(self, pads: Iterable[Pad]) -> tuple[Shelf, ...]:
        """Return the shelves of a kit's pads in their order: those of pads of the same name are kept."""
        before = {shelf.pad.name: shelf for shelf in self.shelves}
        shelves = []
        for pad in pads:
            shelf = before.get(pad.name) or Shelf(pad)
            shelf.renew(pad)
            shelves.append(shelf)
        self.shelves = tuple(shelves)
        return self.shelves

    @property
    def bytes_held(self) -> int:
        """What the strokes in wait take, and those that can be frozen."""
        queues = (queue for shelf in self.shelves for queue in (*shelf.fresh, shelf.spare, shelf.recent))
        return sum(hit.bytes_held for queue in queues for hit in tuple(queue))

    @property
    def ready(self) -> bool:
        """Whether every pad has a stroke to play, or cannot have one."""
        return all(shelf.depth or shelf.spare or shelf.recent or shelf.failed for shelf in self.shelves)

    def next_order(self, process: int, scarce: bool) -> Order | None:
        """Return what the process of this number had best make now; None when all is full."""
        wants = (
            (full + _STRANGER * (bool(shelf.known_by) and process not in shelf.known_by), number, layer)
            for number, shelf in enumerate(self.shelves)
            for full, layer in shelf.wants(scarce)
        )
        best = min(wants, key=lambda want: want[:2], default=None)
        if best is None:
            return None
        shelf = self.shelves[best[1]]
        shelf.known_by.add(process)
        return shelf.order(best[2])

    def forget(self, seconds: float) -> None:
        """Let `seconds` pass over what was asked for."""
        kept = math.exp(-seconds / _DEMAND_SECONDS)
        for shelf in self.shelves:
            shelf.asked = [asked * kept for asked in shelf.asked]


def _sound(pad: Pad) -> tuple[object, ...]:
    """Return the settings that a stroke's sound depends on."""
    return pad.drum_class, pad.hit, pad.amount, pad.width, pad.steps, pad.seed, pad.velocity


def _without_network(pad: Pad) -> Pad:
    return replace(pad, steps=0)

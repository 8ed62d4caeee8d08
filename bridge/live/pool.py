"""The pool: for every pad of a kit some strokes made ahead of their use, each of which is played once.

One thread plays from it and one fills it. They share only deques and lists, whose single steps are
atomic in Python, so that neither ever waits for the other.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from ghostnote.bridge.kit.hits import PadHit, picks
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.kit.zones import zones_of
from ghostnote.bridge.live.commands import FREEZE_MOST
from ghostnote.bridge.live.hit import Audio, Hit, Origin
from ghostnote.bridge.live.layers import LAYER_OF, LAYER_VELOCITIES, LAYERS, NEAR
from ghostnote.bridge.live.stock import is_asked, most_fallbacks, most_strokes

_MOST_SKIPPED: Final = 8
_DEMAND_SECONDS: Final = 4.0
_FIRST_LAYER: Final = 4
_UNOPENED_PENALTY: Final = 0.4
"""How much fuller a pad must be before a process that has not opened its drum yet is set to it."""


@dataclass(frozen=True, slots=True)
class StrokeRequest:
    """A stroke that is to be made for a pad."""

    queue: "PadQueue"
    pad: Pad
    index: int
    velocity: int
    generation: int
    layer: int | None
    """The velocity layer; None for a fallback."""


class PadQueue:
    """The strokes of one pad. `take` belongs to the thread that plays, all else to the one that fills."""

    def __init__(self, pad: Pad) -> None:
        """Start empty."""
        self.pad = pad
        self.generation = 0
        self.failed = ""
        """Why no strokes can be made with the present settings, or nothing."""
        self.failed_since = 0.0
        """Since when, in `perf_counter` seconds."""
        self.deaths = 0
        """How many workers ended while they made a stroke of this pad, one after the other."""
        self.fresh: list[deque[Hit]] = [deque() for _ in LAYERS]
        self.fallback: deque[Hit] = deque()
        self.recent: deque[Hit] = deque(maxlen=FREEZE_MOST)
        self.asked = [0.0 for _ in LAYERS]
        """How often each layer was played in the last seconds."""
        self.under_way = [0 for _ in (*LAYERS, None)]
        """Strokes that are being made: one count a layer, the fallbacks last."""
        self.opened_by: set[int] = set()
        """The numbers of the processes that have opened the pad's drum."""
        self._next_index = 0
        self._last_recorded: dict[int | None, PadHit | None] = {}

    @property
    def depth(self) -> int:
        """How many strokes by the network wait."""
        return sum(map(len, self.fresh))

    def take(self, velocity: int) -> tuple[Hit, Origin] | None:
        """Return a stroke for a note and where it comes from; None while there is none at all."""
        layer = LAYER_OF[velocity]
        self.asked[layer] += 1
        near = NEAR[layer]
        fresh = [(self.fresh[other], Origin.FRESH) for other in near]
        for hits, origin in (*fresh[:3], (self.fallback, Origin.FALLBACK), *fresh[3:]):
            if hits:
                hit = self._popped(hits, near)
                self.recent.append(hit)
                return hit, origin if hit.pad.steps else Origin.FALLBACK
        return (self.recent[-1], Origin.REUSED) if self.recent else None

    def _popped(self, hits: deque[Hit], near: list[int]) -> Hit:
        """Take the first stroke, or where it starts from the recorded stroke that just played another round robin."""
        last, first = self.recent[-1].recorded if self.recent else None, hits[0]
        if first.recorded is None or first.recorded != last:
            return hits.popleft()
        layer = (first.recorded.low, first.recorded.high)
        for waiting in (hits, *(self.fresh[other] for other in near)):
            for place, hit in enumerate(tuple(waiting)[:2]):
                if hit.recorded and hit.recorded != last and (hit.recorded.low, hit.recorded.high) == layer:
                    # What else is done to the queue meanwhile is done at its other end.
                    passed = [waiting.popleft() for _ in range(place)]
                    taken = waiting.popleft()
                    waiting.extendleft(passed)
                    return taken
        return hits.popleft()

    def renew(self, pad: Pad) -> None:
        """Take other settings; if they sound different, what waits plays only until it is replaced."""
        if _sound(pad) != _sound(self.pad):
            self.generation += 1
            self.failed = ""
            self.deaths = 0
            self.opened_by.clear()
        self.pad = pad

    def request(self, layer: int | None) -> StrokeRequest:
        """Return the request for the next stroke of a layer, or for a fallback."""
        self.under_way[-1 if layer is None else layer] += 1
        if layer is None:
            layer_asked = max(LAYERS, key=lambda i: (self.asked[i], i == _FIRST_LAYER))
            pad, velocity = replace(self.pad, steps=0), LAYER_VELOCITIES[layer_asked]
        else:
            pad, velocity = self.pad, LAYER_VELOCITIES[layer]
        index = self._index(layer, velocity)
        return StrokeRequest(self, pad, index, velocity, self.generation, layer)

    def _index(self, layer: int | None, velocity: int) -> int:
        """Return the next stroke's number: one that starts from another recorded stroke than the layer's last one."""
        index = self._next_index
        if len(self.pad.hits) > 1:
            strokes = (recorded_stroke(self.pad, number, velocity) for number in range(index, index + _MOST_SKIPPED))
            last = self._last_recorded.get(layer)
            skipped, stroke = next(((n, found) for n, found in enumerate(strokes) if found != last), (0, last))
            index += skipped
            self._last_recorded[layer] = stroke
        self._next_index = index + 1
        return index

    def put(self, request: StrokeRequest, audio: Audio) -> None:
        """Add a stroke that was made; the first of new settings replaces what is left of the old."""
        if request.generation != self.generation:
            return
        recorded = recorded_stroke(request.pad, request.index, request.velocity)
        hit = Hit(request.pad, request.index, request.velocity, request.generation, audio, recorded)
        hits = self.fallback if request.layer is None else self.fresh[request.layer]
        if not hits or hits[-1].generation == request.generation:
            hits.append(hit)
        elif request.layer is None:
            self.fallback = deque([hit])
        else:
            self.fresh[request.layer] = deque([hit])

    def finish(self, request: StrokeRequest) -> None:
        """Count a request as finished, whatever came of it."""
        self.under_way[-1 if request.layer is None else request.layer] -= 1

    def wants(self, held: float) -> Iterator[tuple[float, int | None]]:
        """Yield how full each layer is, from 0 to under 1, and the layer, for those that are not full.

        `held` is what all strokes take, over the budget.
        """
        if self.failed:
            return
        if not self._present(self.fresh[_FIRST_LAYER], _FIRST_LAYER) and not self.depth:
            yield -1.0, _FIRST_LAYER
        fallbacks, most = self._present(self.fallback, -1), most_fallbacks(held)
        if fallbacks < most and self.pad.steps:
            yield fallbacks / most / 2, None
        for layer, asked in enumerate(self.asked):
            most = most_strokes(asked, held, is_first=layer == _FIRST_LAYER)
            have = self._present(self.fresh[layer], layer)
            if have < most:
                yield have / most + 0.5 * (not is_asked(asked)), layer

    def _present(self, hits: deque[Hit], at: int) -> int:
        """Return how many strokes of the present settings wait or are being made."""
        current = len(hits) if not hits or hits[-1].generation == self.generation else 0
        return current + self.under_way[at]


class Pool:
    """The queues of all pads that play."""

    def __init__(self) -> None:
        """Start without a queue."""
        self.queues: tuple[PadQueue, ...] = ()
        """The first one of each pad, in their order, and then those of pads' further zones."""
        self._of_pad: dict[str, tuple[PadQueue, ...]] = {}

    def use(self, pads: Iterable[Pad]) -> tuple[tuple[PadQueue, ...], ...]:
        """Return the queues of a kit's pads, one for each zone, pad by pad: those of pads of the same name are kept."""
        before = self._of_pad
        self._of_pad = {}
        for pad in pads:
            zones, queues = [zone.pad for zone in zones_of(pad)], before.get(pad.name, ())
            queues = (*queues[: len(zones)], *map(PadQueue, zones[len(queues) :]))
            for queue, zone in zip(queues, zones, strict=True):
                queue.renew(zone)
            self._of_pad[pad.name] = queues
        of_pads = tuple(self._of_pad.values())
        self.queues = (*(queues[0] for queues in of_pads), *(queue for queues in of_pads for queue in queues[1:]))
        return of_pads

    @property
    def bytes_held(self) -> int:
        """What the strokes in wait take, and those that can be frozen."""
        waiting = (hits for queue in self.queues for hits in (*queue.fresh, queue.fallback, queue.recent))
        return sum(hit.bytes_held for hits in waiting for hit in tuple(hits))

    @property
    def ready(self) -> bool:
        """Whether every pad has a stroke to play, or cannot have one."""
        return all(queue.depth or queue.fallback or queue.recent or queue.failed for queue in self.queues)

    def next_request(self, process: int, held: float) -> StrokeRequest | None:
        """Return what the process of this number had best make now; None when all is full.

        `held` is what the strokes take, over the budget.
        """
        wants = (
            (full + _UNOPENED_PENALTY * (bool(queue.opened_by) and process not in queue.opened_by), number, layer)
            for number, queue in enumerate(self.queues)
            for full, layer in queue.wants(held)
        )
        best = min(wants, key=lambda want: want[:2], default=None)
        if best is None:
            return None
        queue = self.queues[best[1]]
        queue.opened_by.add(process)
        return queue.request(best[2])

    def forget(self, seconds: float) -> None:
        """Let `seconds` pass over what was played."""
        kept = math.exp(-seconds / _DEMAND_SECONDS)
        for queue in self.queues:
            queue.asked = [asked * kept for asked in queue.asked]


def recorded_stroke(pad: Pad, index: int, velocity: int) -> PadHit | None:
    """Return which of a pad's recorded strokes a stroke starts from; None where it has but one."""
    return next(picks(pad.hits, pad.seed, index, velocity)) if len(pad.hits) > 1 else None


def _sound(pad: Pad) -> Pad:
    """Return a pad without the settings that a stroke's sound does not depend on."""
    return replace(pad, name="", notes=(), gain_db=0.0, pan=0.0, choke=None, effects=(), out=None)

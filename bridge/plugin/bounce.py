"""Answers hosts that render faster than real time: stroke for stroke, by pad, index and velocity."""

import os
import select
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Final

import numpy as np

from ghostnote.bridge.inference.variation import ROWS, StrokeKey
from ghostnote.bridge.live.pool_worker import auto_processes
from ghostnote.bridge.live.supervised import supervised
from ghostnote.bridge.plugin import layout
from ghostnote.bridge.plugin.foresight import Wish
from ghostnote.bridge.plugin.instance import Instance
from ghostnote.bridge.plugin.pool import turned
from ghostnote.bridge.plugin.stroke_makers import Stroke, StrokeMakers
from ghostnote.bridge.render.workers import Spec

_LOOK_SECONDS: Final = 0.5
_END_SECONDS: Final = 5.0
_AHEAD: Final = 24
"""Strokes that are made before they are asked for, where a song repeats itself."""
_ROWS_AHEAD: Final = 4
"""So many of them together: what is asked for meanwhile waits for them."""


class Bouncer:
    """Has made what bounces ask for, in threads of its own. A context manager."""

    def __init__(self, spec: Spec) -> None:
        """Serve strokes of the source that `spec` opens at the first bounce."""
        self.instances: tuple[Instance, ...] = ()
        self.trouble = ""
        """What went wrong last."""
        self._makers = StrokeMakers(spec, auto_processes(), self._note_error)
        self._stopping, self._storing = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="bounce", daemon=True)

    def __enter__(self) -> "Bouncer":
        """Start the threads."""
        self._makers.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End them after the strokes that are being made."""
        self._stopping.set()
        self._makers.__exit__()
        self._thread.join(_END_SECONDS)

    def _serve(self) -> None:
        supervised(self._turn, self._stopping, self._note_error)

    def _note_error(self, what: str) -> None:
        self.trouble = what

    def _turn(self) -> None:
        waiting = {instance.asking: instance for instance in self.instances}
        ready, _, _ = select.select(list(waiting), [], [], _LOOK_SECONDS) if waiting else ([], [], [])
        if not waiting:
            self._stopping.wait(_LOOK_SECONDS)
        for file in ready:
            os.eventfd_read(file)
            self._serve_asks(waiting[file])

    def _serve_asks(self, instance: Instance) -> None:
        """Have made what a plugin asks for, and after that what it is likely to ask for next."""
        foresight, places = instance.foresight, defaultdict[Wish, list[int]](list)
        for place, wish in _asks(instance):
            foresight.add(wish)
            if stroke := foresight.take(wish):
                self._makers.hurry(stroke)
                stroke.add_done_callback(partial(self._answer, instance, place))
            else:
                places[wish].append(place)
        for wish, stroke in self._made(instance, places, ROWS):
            for place in places[wish]:
                stroke.add_done_callback(partial(self._answer, instance, place))
        ahead = [wish for wish in foresight.following(_AHEAD) if not foresight.is_kept(wish)]
        for wish, stroke in self._made(instance, ahead, _ROWS_AHEAD, is_foreseen=True):
            foresight.keep(wish, stroke)

    def _made(
        self, instance: Instance, wishes: Iterable[Wish], rows: int, is_foreseen: bool = False
    ) -> Iterator[tuple[Wish, Stroke]]:
        for batch in _batches(wishes, rows):
            pad = turned(instance.queues[batch[0].pad].kit_pad, batch[0].knobs)
            keys = [StrokeKey(wish.number, wish.velocity) for wish in batch]
            yield from zip(batch, self._makers.make(pad, keys, is_foreseen), strict=True)

    def _answer(self, instance: Instance, place: int, stroke: Stroke) -> None:
        """Put a stroke into the memory, or say that there will be none."""
        memory, entry, audio = instance.memory, instance.memory.fields["asks"][place], stroke.result()
        with self._storing:
            slot = None
            if audio is not None:
                memory.collect()
                kept = audio[:1] if np.array_equal(audio[0], audio[1]) else audio
                slot = memory.store(kept, int(entry["velocity"]))
            if slot is not None:
                entry["slot"] = slot
                instance.counts["bounced"] += 1
            memory.publish(entry, "state", layout.REFUSED if slot is None else layout.ANSWERED)
        os.eventfd_write(instance.answering, 1)


def _asks(instance: Instance) -> Iterator[tuple[int, Wish]]:
    """Yield what a plugin asks for, in its order, each with its place among the asks."""
    fields = instance.memory.fields
    written, read = int(fields["asks_written"]), int(fields["asks_read"])
    fields["asks_read"] = written
    while read != written:
        place = read % layout.MAX_ASKS
        entry = fields["asks"][place]
        pad = int(entry["pad"])
        if entry["state"] == layout.ASKED and pad < len(instance.queues):
            yield place, Wish(pad, tuple(entry["knobs"].tolist()), int(entry["velocity"]), int(entry["index"]))
        read = read + 1 & 0xFFFFFFFF


def _batches(wishes: Iterable[Wish], rows: int) -> Iterator[list[Wish]]:
    """Yield wishes in batches of one pad with the same knobs, the first first."""
    waiting = list(wishes)
    while waiting:
        batch = list(islice((wish for wish in waiting if wish[:2] == waiting[0][:2]), rows))
        waiting = [wish for wish in waiting if wish not in batch]
        yield batch

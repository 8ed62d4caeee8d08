"""Answers hosts that render faster than real time: stroke for stroke, by pad, index and velocity."""

import logging
import os
import select
import threading
from collections.abc import Iterator
from itertools import islice

import numpy as np

from ghostnote.bridge.inference.variation import ROWS, StrokeKey
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.hit import Audio
from ghostnote.bridge.live.supervised import supervised
from ghostnote.bridge.plugin import layout
from ghostnote.bridge.plugin.instance import Instance
from ghostnote.bridge.plugin.pool import turned
from ghostnote.bridge.render.workers import Source, Spec

_LOOK_SECONDS = 0.5
_END_SECONDS = 5.0
_logger = logging.getLogger(__name__)

Asked = dict[int, StrokeKey]
"""Strokes that are asked for, by their place among the asks."""


class Bouncer:
    """Makes what bounces ask for, in a thread of its own. A context manager."""

    def __init__(self, spec: Spec) -> None:
        """Serve strokes of the source that `spec` opens at the first bounce."""
        self.instances: tuple[Instance, ...] = ()
        self.trouble = ""
        """What went wrong last."""
        self._spec = spec
        self._source: Source | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="bounce", daemon=True)

    def __enter__(self) -> "Bouncer":
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it after the stroke that is being made."""
        self._stopping.set()
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
            for pad, asked in _batches(waiting[file]):
                self._answer(waiting[file], pad, asked)

    def _answer(self, instance: Instance, pad: Pad, asked: Asked) -> None:
        """Put strokes of a pad into the memory, or say that there will be none."""
        try:
            self._source = self._source or self._spec.open()
            made: list[Audio | None] = list(self._source.strokes(pad, list(asked.values())))
            if not all(np.isfinite(audio).all() for audio in made if audio is not None):
                raise ValueError("the model makes values that are not numbers")
        except Exception as error:  # whatever it is, the host must not wait; the pool's fallbacks play instead
            self.trouble = f"pad '{pad.name}' cannot be bounced: {error}"
            _logger.warning(self.trouble)
            made = [None] * len(asked)
        for place, audio in zip(asked, made, strict=True):
            _finish(instance, place, audio)
        os.eventfd_write(instance.answering, 1)


def _finish(instance: Instance, place: int, audio: Audio | None) -> None:
    memory, entry = instance.memory, instance.memory.fields["asks"][place]
    if audio is not None:
        kept = audio[:1] if np.array_equal(audio[0], audio[1]) else audio
        memory.collect()
        slot = memory.store(kept, int(entry["velocity"]))
        if slot is not None:
            entry["slot"] = slot
            instance.counts["bounced"] += 1
            memory.publish(entry, "state", layout.ANSWERED)
            return
    memory.publish(entry, "state", layout.REFUSED)


def _batches(instance: Instance) -> Iterator[tuple[Pad, Asked]]:
    """Yield what is asked for, in batches of one pad with the same knobs, the first first."""
    fields = instance.memory.fields
    waiting: dict[int, tuple[Pad, StrokeKey]] = {}
    written, read = int(fields["asks_written"]), int(fields["asks_read"])
    while read != written:
        place = read % layout.MAX_ASKS
        entry = fields["asks"][place]
        number = int(entry["pad"])
        if entry["state"] == layout.ASKED and number < len(instance.queues):
            pad = turned(instance.queues[number].kit_pad, tuple(entry["knobs"].tolist()))
            waiting[place] = pad, StrokeKey(int(entry["index"]), int(entry["velocity"]))
        read = read + 1 & 0xFFFFFFFF
    fields["asks_read"] = read
    while waiting:
        pad = next(iter(waiting.values()))[0]
        same = ((place, key) for place, (each, key) in waiting.items() if each == pad)
        batch = dict(islice(same, ROWS))
        for place in batch:
            del waiting[place]
        yield pad, batch

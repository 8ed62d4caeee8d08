"""A plugin in a host, as the daemon sees it: its kit, its memory, and what it played."""

import os
import time
import weakref
from collections import Counter
from typing import Final

import numpy as np

from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.kit.zones import nearest_zone, zones_of
from ghostnote.bridge.live.layers import layer_of
from ghostnote.bridge.plugin import layout
from ghostnote.bridge.plugin.foresight import Foresight
from ghostnote.bridge.plugin.memory import PoolMemory
from ghostnote.bridge.plugin.outputs import outputs_of
from ghostnote.bridge.plugin.pool import SharedQueue, turned

_BOUNCE_SECONDS: Final = 2.0
"""For so long after the last stroke that was asked for, a bounce may go on."""
ORIGINS: Final = ("fresh", "fallback", "reused", "silent", "missed")
"""What notes are counted as, by the numbers in `layout`."""


class Instance:
    """One plugin with one kit; a new kit is a new instance."""

    def __init__(self, kit: Kit, rate: int) -> None:
        """Make its memory; `OSError` where the system has none."""
        self.kit, self.rate = kit, rate
        self.counts: Counter[str] = Counter()
        """How many notes were of each of `ORIGINS`, and `bounced`: how many strokes a bounce got."""
        self.memory = PoolMemory(kit, rate, outputs_of(kit))
        pads = (_played(pad) for pad in kit.pads)
        self.queues = tuple(SharedQueue(pad, number, self.memory) for number, pad in enumerate(pads))
        self.foresight = Foresight()
        """What a bounce may ask for next."""
        self.asking = self._event()
        """Signalled by the plugin when a bounce asks for strokes."""
        self.answering = self._event()
        """Signalled when it is answered."""
        self._reads = np.zeros((len(kit.pads), layout.LAYERS + 1), np.uint32)
        self._knobs_version = 0
        self._asks, self._asked_at = 0, -_BOUNCE_SECONDS

    @property
    def is_bouncing(self) -> bool:
        """Whether a host has lately asked for strokes."""
        return time.monotonic() - self._asked_at < _BOUNCE_SECONDS

    def _event(self) -> int:
        event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        # Not before the last thread has let go of it: its number would be another file's.
        weakref.finalize(self, os.close, event)
        return event

    def tend(self) -> None:
        """See what the plugin took, which knobs were turned and whether all pads can be played."""
        reads = self.memory.queues["read"][: len(self.queues)].copy()
        for number in np.flatnonzero((reads != self._reads).any(axis=1)).tolist():
            self.queues[number].sync(reads[number].tolist())
        self._reads = reads
        self.memory.collect()
        self._count_notes()
        fields = self.memory.fields
        if int(fields["asks_written"]) != self._asks:
            self._asks, self._asked_at = int(fields["asks_written"]), time.monotonic()
        version = int(fields["knobs_version"])
        if version != self._knobs_version:
            self._knobs_version = version
            for queue, knobs in zip(self.queues, fields["knobs"].tolist(), strict=False):
                queue.renew(turned(queue.kit_pad, tuple(knobs)))
        if not fields["ready"] and all(queue.depth or queue.fallback or queue.failed for queue in self.queues):
            self.memory.publish(fields, "ready", 1)

    def _count_notes(self) -> None:
        fields = self.memory.fields
        written, read = int(fields["notes_written"]), int(fields["notes_read"])
        while read != written:
            note = int(fields["notes"][read % layout.MAX_NOTES])
            pad, velocity, origin = note & 0xFF, note >> 8 & 0x7F, note >> 16
            read = read + 1 & 0xFFFFFFFF
            if origin == layout.FRESH and pad < len(self.queues) and not self.queues[pad].pad.steps:
                origin = layout.FALLEN_BACK
            self.counts[ORIGINS[origin % len(ORIGINS)]] += 1
            if pad < len(self.queues):
                self.queues[pad].asked[layer_of(velocity)] += 1
        fields["notes_read"] = read


def _played(pad: Pad) -> Pad:
    """Return a pad with the recorded strokes of one openness and position, where it has several."""
    zones = zones_of(pad)
    return zones[nearest_zone(zones, None, None, None)].pad

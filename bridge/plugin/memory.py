"""One plugin's shared memory, as the daemon writes it: without a name, for this user alone, of a fixed size."""

import fcntl
import mmap
import os
import threading
import weakref
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from ghostnote.bridge.kit.choke import CYMBALS, HATS, choked_by
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.live.hit import Audio
from ghostnote.bridge.plugin import layout
from ghostnote.bridge.render.performer import Performer

_PAGE: Final = 4096


class PoolMemory:
    """The fields and the strokes of one plugin. `store` and what frees may be called from any thread."""

    def __init__(self, kit: Kit, rate: int, outputs: Sequence[int]) -> None:
        """Describe a kit, of whose pads each leaves by one of the plugin's `outputs`; `OSError` without memory."""
        self.file = os.memfd_create("ghostnote", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        weakref.finalize(self, os.close, self.file)
        os.fchmod(self.file, 0o600)
        os.ftruncate(self.file, layout.BYTES)
        # So that neither side can take pages from under the other.
        fcntl.fcntl(self.file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        self._map = mmap.mmap(self.file, layout.BYTES)
        self.fields: Any = np.ndarray(1, layout.MEMORY, self._map)[0]
        self.queues: Any = self.fields["pads"]["queues"]
        self.slots: Any = self.fields["slots"]
        self._free_slots = list(range(layout.MAX_SLOTS))[::-1]
        self._blocks: dict[int, tuple[int, int]] = {}
        self._holes = [(layout.DATA_OFFSET, layout.BYTES)]
        self._lock = threading.Lock()
        self._describe(kit, rate, outputs)

    @property
    def is_full(self) -> bool:
        """Whether a long stroke might find no room."""
        return max((end - begin for begin, end in self._holes), default=0) < layout.BYTES // 16 or (
            len(self._free_slots) < layout.MAX_SLOTS // 8
        )

    def store(self, audio: Audio, velocity: int) -> int | None:
        """Return the slot of a stroke (1 or 2, frames) that is now in the memory; None where there is no room."""
        size = -(-audio.nbytes // _PAGE) * _PAGE
        with self._lock:
            place = next((n for n, (begin, end) in enumerate(self._holes) if end - begin >= size), None)
            if place is None or not self._free_slots:
                return None
            begin, end = self._holes.pop(place)
            if begin + size < end:
                self._holes.insert(place, (begin + size, end))
            slot = self._free_slots.pop()
            self._blocks[slot] = (begin, begin + size)
        np.ndarray(audio.shape, np.float32, self._map, offset=begin)[:] = audio
        entry = self.slots[slot]
        entry["offset"], entry["frames"], entry["channels"] = begin, audio.shape[1], len(audio)
        entry["velocity"] = velocity
        return slot

    def audio(self, slot: int) -> Audio:
        """Return a stroke of the memory."""
        entry = self.slots[slot]
        shape = (int(entry["channels"]), int(entry["frames"]))
        return np.ndarray(shape, np.float32, self._map, offset=int(entry["offset"]))

    def collect(self) -> None:
        """Take back the slots that the plugin needs no more."""
        freed = self.slots["freed"]
        for slot in np.flatnonzero(freed).tolist():
            with self._lock:
                # Another thread may have taken it back meanwhile, and given it away again.
                if freed[slot]:
                    self._take_back(slot)

    def free(self, slot: int) -> None:
        """Take a slot back."""
        with self._lock:
            self._take_back(slot)

    def _take_back(self, slot: int) -> None:
        self.slots["freed"][slot] = 0
        block = self._blocks.pop(slot, None)
        if block is None:
            return
        self._free_slots.append(slot)
        merged: list[tuple[int, int]] = []
        for begin, end in sorted((*self._holes, block)):
            if merged and merged[-1][1] == begin:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((begin, end))
        self._holes = merged

    def has_room(self, pad: int, queue: int) -> bool:
        """Return whether a queue takes another stroke."""
        entry = self.queues[pad][queue]
        return (int(entry["written"]) - int(entry["read"])) & 0xFFFFFFFF < layout.QUEUE_LENGTH

    def push(self, pad: int, queue: int, slot: int, generation: int) -> None:
        """Queue a stroke for the plugin, where there is room."""
        entry = self.queues[pad][queue]
        written = int(entry["written"])
        place = written % layout.QUEUE_LENGTH
        entry["slots"][place], entry["generations"][place] = slot, generation
        self.publish(entry, "written", written + 1 & 0xFFFFFFFF)

    def publish(self, entry: Any, field: str, value: int) -> None:
        """Set a field that says that others are complete."""
        # A lock is the one way in Python to have all stores before it seen before those behind it.
        with self._lock:
            pass
        entry[field] = value

    def _describe(self, kit: Kit, rate: int, outputs: Sequence[int]) -> None:
        fields, pads, performer = self.fields, kit.pads, Performer(kit)
        fields["layout"], fields["rate"], fields["pad_count"] = layout.LAYOUT, rate, len(pads)
        fields["pad_of_note"][:] = layout.NO_PAD
        fields["knobs"][:] = (0, 1, 1, 0)
        for number, pad in enumerate(pads):
            fields["pad_of_note"][list(pad.notes)] = number
            entry = fields["pads"][number]
            entry["name"] = pad.name.encode()[:95]
            entry["gain_db"], entry["pan"], entry["output"] = pad.gain_db, pad.pan, outputs[number]
            is_open = number in performer.open_hats
            entry["closed"] = performer.closed_of.get(number, number)
            kinds = (
                (layout.OPEN_HAT, is_open),
                (layout.CYMBAL, pad.drum_class in CYMBALS),
                (layout.HAT, pad.drum_class in HATS),
            )
            entry["kind"] = sum(bit for bit, holds in kinds if holds)
            mask = sum(1 << choked for choked in choked_by(pads, number))
            entry["chokes"][:] = mask & (2**64 - 1), mask >> 64
        self.publish(fields, "magic", layout.MAGIC)

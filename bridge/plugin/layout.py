"""The memory that the daemon and a plugin share, field by field as in `src/memory.hpp`; a test compares the two."""

from typing import Final

import numpy as np

from ghostnote.bridge.live.layers import LAYER_VELOCITIES

MAGIC: Final = 0x65746F6E74736F68
LAYOUT: Final = 1
"""Goes up with every change of this file or of `messages`."""

MAX_PADS: Final = 128
KNOB_PADS: Final = 16
"""So many pads, the first of a kit, have parameters in the host."""
OUTPUTS: Final = 16
LAYERS: Final = len(LAYER_VELOCITIES)
FALLBACK: Final = LAYERS
"""The queue behind those of the velocity layers."""
QUEUE_LENGTH: Final = 64
MAX_SLOTS: Final = 2048
MAX_NOTES: Final = 4096
MAX_ASKS: Final = 256
NO_PAD: Final = 0xFF
NO_SLOT: Final = 0xFFFFFFFF
OPEN_HAT, CYMBAL, HAT = 1, 2, 4
"""Bits of a pad's kind."""
FRESH, FALLEN_BACK, REUSED, SILENT, MISSED = range(5)
"""Where a note's sound came from; the last in a bounce that waited in vain."""
EMPTY, ASKED, ANSWERED, REFUSED = range(4)
"""States of a stroke that a bounce asks for."""
DATA_OFFSET: Final = 1 << 20
"""Where the strokes' samples begin."""
BYTES: Final = 1 << 28
"""The whole memory: what is never written takes none."""

_QUEUE: Final = [
    ("written", "u4"),
    ("read", "u4"),
    ("floor", "u4"),
    ("unused", "u4"),
    ("slots", "u4", QUEUE_LENGTH),
    ("generations", "u4", QUEUE_LENGTH),
]
_SLOT: Final = [("offset", "u8"), ("frames", "u4"), ("channels", "u4"), ("velocity", "u4"), ("freed", "u4")]
_ASK: Final = [
    ("pad", "u4"),
    ("index", "u4"),
    ("velocity", "u4"),
    ("slot", "u4"),
    ("knobs", "f4", 4),
    ("state", "u4"),
    ("unused", "u4"),
]
_PAD: Final = [
    ("name", "S96"),
    ("gain_db", "f8"),
    ("pan", "f8"),
    ("chokes", "u8", 2),
    ("kind", "u4"),
    ("closed", "u4"),
    ("output", "u4"),
    ("unused", "u4"),
    ("queues", _QUEUE, LAYERS + 1),
]
MEMORY: Final = np.dtype(
    [
        ("magic", "u8"),
        ("layout", "u4"),
        ("rate", "u4"),
        ("pad_count", "u4"),
        ("ready", "u4"),
        ("pad_of_note", "u1", 128),
        ("knobs_version", "u4"),
        ("offline", "u4"),
        ("knobs", "f4", (KNOB_PADS, 4)),
        ("notes_written", "u4"),
        ("notes_read", "u4"),
        ("notes", "u4", MAX_NOTES),
        ("asks_written", "u4"),
        ("asks_read", "u4"),
        ("asks", _ASK, MAX_ASKS),
        ("slots", _SLOT, MAX_SLOTS),
        ("pads", _PAD, MAX_PADS),
    ],
    align=True,
)
"""The fields before the samples."""

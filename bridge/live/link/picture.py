"""The state of a session as messages: the kit, each pad, the levels. What has not changed is not sent again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.kit.fields import path_inside
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.link.frames import json_frame
from ghostnote.bridge.live.pad_parameters import FIELDS, slug
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.live.switches import SWITCHES

FLOOR_DB: Final = -72
"""What meters show of silence."""
_MOST_FILES: Final = 12


class Picture:
    """What pages know of a session, and what is new."""

    def __init__(self, session: Session) -> None:
        """Look at a session of which pages know nothing yet."""
        self._session = session
        self._names: tuple[str, ...] = ()
        self._kit_key: tuple[object, ...] = ()
        self._kit = b""
        self._keys: list[tuple[object, ...]] = []
        self._pads: list[bytes] = []
        self._levels: dict[str, list[int]] = {}

    def all(self) -> Iterator[bytes]:
        """Yield the frames that tell everything."""
        list(self.news())
        yield self._kit
        yield from self._pads
        for name, values in self._levels.items():
            yield json_frame({"type": name, "values": values})

    def news(self) -> Iterator[bytes]:
        """Yield the frames that tell what changed since the last call."""
        session, kit = self._session, self._session.kit
        names = tuple(pad.name for pad in kit.pads)
        key = (names, kit.name, kit.path, kit.seed)
        if key != self._kit_key:
            self._kit_key = key
            self._kit = json_frame(self._described())
            self._keys, self._pads = [()] * len(names), [b""] * len(names)
            self._levels = {}
            yield self._kit
        for at, pad in enumerate(kit.pads):
            state = self._state(at, pad)
            if self._keys[at][1:] != state[1:] or self._keys[at][0] is not pad:
                self._keys[at] = state
                self._pads[at] = json_frame(self._pad(at, pad))
                yield self._pads[at]
        yield from self._new_levels(session)

    def _described(self) -> dict[str, Any]:
        session = self._session
        kit, folder = session.kit, session.kits.folder
        inside = path_inside(kit.path, folder) if kit.path and folder else None
        return {
            "type": "kit",
            "name": kit.name,
            "file": inside or "",
            "folder": str(real_path(folder)) if folder else "",
            "rate": session.engine.rate,
            "pads": [slug(pad.name) for pad in kit.pads],
        }

    def _state(self, at: int, pad: Pad) -> tuple[object, ...]:
        session = self._session
        queue = session.setup.queues[at][0]
        switches = (session.get(pad, name) for name in SWITCHES)
        failed = getattr(queue, "failed", "")
        return (pad, failed, session.learning == pad.name, session.history.counts(pad.name), *switches)

    def _pad(self, at: int, pad: Pad) -> dict[str, Any]:
        session = self._session
        undo, redo = session.history.counts(pad.name)
        return {
            "type": "pad",
            "at": at,
            "slug": slug(pad.name),
            "name": pad.name,
            "notes": pad.notes,
            "files": [_shown(file, session.kits.folder) for file in pad.files[:_MOST_FILES]],
            "file_count": len(pad.files),
            "undo": undo,
            "redo": redo,
            "failed": getattr(session.setup.queues[at][0], "failed", ""),
            "learning": session.learning == pad.name,
            "effects": [effect.name for effect in pad.effects],
            **{name: session.get(pad, name) for name in FIELDS},
        }

    def _new_levels(self, session: Session) -> Iterator[bytes]:
        engine, names = session.engine, ("", *(pad.name for pad in session.kit.pads))
        peaks = np.array([engine.meter(name) for name in names])
        decibels = np.rint(20 * np.log10(np.maximum(peaks, 10 ** (FLOOR_DB / 20)))).astype(int)
        of_pads = dict[str, list[list[int]]](depth=[], fallback=[])
        for queues in session.setup.queues:
            of_pads["depth"].append([getattr(queue, "depth", 0) for queue in queues])
            of_pads["fallback"].append([len(getattr(queue, "fallback", ())) for queue in queues])
        found = {"meters": decibels.tolist(), **{name: list(map(sum, rows)) for name, rows in of_pads.items()}}
        for name, values in found.items():
            if self._levels.get(name) != values:
                self._levels[name] = values
                yield json_frame({"type": name, "values": values})


def _shown(file: Path, folder: Path | None) -> str:
    return (path_inside(file, folder) if folder else None) or file.name

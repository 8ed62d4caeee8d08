"""A plugin as the daemon sees one: it maps the memory, takes strokes and asks for others."""

import mmap
import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from live_fakes import until

from ghostnote.bridge.plugin import layout
from ghostnote.bridge.plugin.messages import REFUSED, STATUS, USE, WELCOME, Use, receive, send
from ghostnote.bridge.plugin.runtime import connect
from ghostnote.bridge.plugin.server import serve
from ghostnote.bridge.plugin.workshop import ServerSettings


class RefusedError(Exception):
    """The daemon said why it gives no memory."""


class PluginClient:
    """Plays a kit by the daemon's memory."""

    def __init__(self, kit: str = "", *, rate: int = 8_000, number: int = 0, seed: int = 0, built: int = layout.LAYOUT):
        self.line = connect(30.0)
        self.use(Use(built, rate, number, seed, "0.0.test", kit))

    def use(self, use: Use) -> None:
        send(self.line, USE, use.written())
        kind, data, files = receive(self.line)
        if kind == REFUSED:
            raise RefusedError(data.decode())
        assert kind == WELCOME
        self.saved = data.decode()
        self.memory, self.asking, self.answering = files
        self._map = mmap.mmap(self.memory, layout.BYTES)
        self.fields: Any = np.ndarray(1, layout.MEMORY, self._map)[0]
        assert self.fields["magic"] == layout.MAGIC

    def waiting(self, pad: int, row: int) -> int:
        queue = self.fields["pads"][pad]["queues"][row]
        return int(queue["written"]) - int(queue["read"])

    def take(self, pad: int, row: int) -> int:
        """Return the next slot of a queue."""
        until(lambda: self.waiting(pad, row))
        queue = self.fields["pads"][pad]["queues"][row]
        read = int(queue["read"])
        slot, generation = (int(queue[name][read % layout.QUEUE_LENGTH]) for name in ("slots", "generations"))
        queue["read"] = read + 1
        if generation < queue["floor"]:
            self.free(slot)
            return self.take(pad, row)
        return slot

    def audio(self, slot: int) -> np.ndarray:
        entry = self.fields["slots"][slot]
        shape = (int(entry["channels"]), int(entry["frames"]))
        return np.ndarray(shape, np.float32, self._map, offset=int(entry["offset"])).copy()

    def free(self, slot: int) -> None:
        self.fields["slots"]["freed"][slot] = 1

    def played(self, pad: int, velocity: int, origin: int) -> None:
        written = int(self.fields["notes_written"])
        self.fields["notes"][written % layout.MAX_NOTES] = pad | velocity << 8 | origin << 16
        self.fields["notes_written"] = written + 1

    def turn(self, pad: int, knobs: tuple[float, float, float, float]) -> None:
        self.fields["knobs"][pad] = knobs
        self.fields["knobs_version"] += 1

    def ask(self, pad: int, index: int, velocity: int, knobs: tuple[float, ...] = (0, 1, 1, 0)) -> np.ndarray | None:
        """Return a stroke as a bounce gets it."""
        written = int(self.fields["asks_written"])
        entry = self.fields["asks"][written % layout.MAX_ASKS]
        entry["pad"], entry["index"], entry["velocity"], entry["knobs"] = pad, index, velocity, knobs
        entry["state"] = layout.ASKED
        self.fields["asks_written"] = written + 1
        os.eventfd_write(self.asking, 1)
        end = time.monotonic() + 60
        while entry["state"] == layout.ASKED and time.monotonic() < end:
            select.select([self.answering], [], [], 0.1)
        if entry["state"] != layout.ANSWERED:
            return None
        slot = int(entry["slot"])
        audio = self.audio(slot)
        self.free(slot)
        return audio

    def close(self) -> None:
        self.line.close()


def status() -> str:
    with connect() as line:
        send(line, STATUS, b"")
        return receive(line)[1].decode()


@contextmanager
def serving(settings: ServerSettings) -> Iterator[None]:
    """Serve plugins for the length of the block."""
    stopping = threading.Event()
    thread = threading.Thread(target=serve, args=(settings, stopping))
    thread.start()
    try:
        until(is_reachable)
        yield
    finally:
        stopping.set()
        thread.join(30)
        assert not thread.is_alive()


def is_reachable() -> bool:
    try:
        status()
    except Exception:
        return False
    return True


def saved(kit: Path) -> str:
    """Return what a session saves of a kit file."""
    return f"3\n{kit.name}\n{kit.parent}\n{kit.read_text()}"

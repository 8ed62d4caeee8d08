"""What a plugin and the daemon say to each other over their socket: a length, a kind, and the rest.

A plugin sends `USE`, again for each other kit, and gets `WELCOME`, with the handles of its memory, or `REFUSED`.
"""

import array
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

USE, WELCOME, REFUSED, STATUS = range(1, 5)
MOST_BYTES: Final = 8_000_000
"""No message is longer: a kit's text has four million letters at most."""

_HEAD: Final = struct.Struct("<II")
_USE: Final = struct.Struct("<IIII16s")


@dataclass(frozen=True)
class Use:
    """A plugin wants to play a kit."""

    layout: int
    """The version of the memory's layout that it was built for."""
    rate: int
    """The host's sample rate, in Hz."""
    number: int
    """The kit's number in the list."""
    seed: int
    """0 for the kit's own."""
    version: str
    """The plugin's version."""
    kit: str
    """The kit as a session saved it; '' for that of the number."""

    @classmethod
    def read(cls, data: bytes) -> "Use":
        """Return the message; `ValueError` for what is none."""
        if len(data) < _USE.size:
            raise ValueError("a message is cut short")
        layout, rate, number, seed, version = _USE.unpack_from(data)
        return cls(layout, rate, number, seed, version.rstrip(b"\0").decode(), data[_USE.size :].decode())

    def written(self) -> bytes:
        """Return what `read` reads."""
        head = _USE.pack(self.layout, self.rate, self.number, self.seed, self.version.encode()[:16])
        return head + self.kit.encode()


class Inbox:
    """Puts messages together from what a socket brings."""

    def __init__(self) -> None:
        """Start empty."""
        self._data = bytearray()

    def add(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the messages that are now whole, a kind and a rest each; `ValueError` for what is none."""
        self._data += data
        found = []
        while len(self._data) >= _HEAD.size:
            length, kind = _HEAD.unpack_from(self._data)
            if length > MOST_BYTES:
                raise ValueError("a message is too long")
            end = _HEAD.size + length
            if len(self._data) < end:
                break
            found.append((kind, bytes(self._data[_HEAD.size : end])))
            del self._data[:end]
        return found


def send(line: socket.socket, kind: int, data: bytes, files: Sequence[int] = ()) -> None:
    """Send a message and handles; `OSError` when the other end does not take it."""
    head = _HEAD.pack(len(data), kind)
    handles = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
    line.sendmsg([head], handles)
    line.sendall(data)


def receive(line: socket.socket, most_files: int = 3) -> tuple[int, bytes, list[int]]:
    """Return the next message and its handles; `OSError` when the line breaks or is silent."""
    head, handles, _, _ = socket.recv_fds(line, _HEAD.size, most_files)
    inbox, found = Inbox(), []
    while not (found := inbox.add(head)):
        head = line.recv(65_536)
        if not head:
            for file in handles:
                os.close(file)
            raise ConnectionError("the line broke")
    return *found[0], list(handles)

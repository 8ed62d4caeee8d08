"""Frames on the local socket: a length, a kind, and JSON or sound."""

import json
import socket
import struct
from collections import deque
from typing import Any, Final

HEAD: Final = struct.Struct("<IB")
"""How many bytes follow, and their kind."""
JSON, SOUND = 0, 1
"""Kinds of frames: text in JSON, and sound as 16-bit integers, left and right in turn."""
MOST_COMMAND: Final = 4096
"""Bytes of the longest frame that the daemon takes."""

_MOST_WAITING: Final = 8 * 2**20
_CHUNK: Final = 65536


def frame(kind: int, data: bytes) -> bytes:
    """Return a frame as it is sent."""
    return HEAD.pack(len(data), kind) + data


def json_frame(message: dict[str, Any]) -> bytes:
    """Return a message as a frame."""
    return frame(JSON, json.dumps(message, separators=(",", ":")).encode(errors="replace"))


class Peer:
    """One program at the other end. Sending never waits: who takes nothing for long is let go."""

    def __init__(self, line: socket.socket) -> None:
        """Talk through a socket."""
        line.setblocking(False)
        self.line = line
        self.wants_sound = False
        self.is_new = True
        """Whether it was sent nothing yet."""
        self._outbox: deque[memoryview] = deque()
        self._inbox = b""

    @property
    def has_more(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._outbox)

    def send(self, data: bytes) -> None:
        """Send a frame, or keep it; `ConnectionError` where the other end is gone or takes nothing."""
        self._outbox.append(memoryview(data))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as it goes; `ConnectionError`."""
        while self._outbox:
            try:
                sent = self.line.send(self._outbox[0])
            except BlockingIOError:
                break
            if sent == len(self._outbox[0]):
                self._outbox.popleft()
            else:
                self._outbox[0] = self._outbox[0][sent:]
        if sum(map(len, self._outbox)) > _MOST_WAITING:
            raise ConnectionError("the page takes nothing")

    def commands(self) -> list[dict[str, Any]]:
        """Return what came in; `ConnectionError` where the other end is gone or sends something else."""
        try:
            data = self.line.recv(_CHUNK)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionError("the page is gone")
        self._inbox += data
        found = []
        while len(self._inbox) >= HEAD.size:
            size, kind = HEAD.unpack_from(self._inbox)
            if size > MOST_COMMAND or kind != JSON:
                raise ConnectionError("this is not a page")
            if len(self._inbox) < HEAD.size + size:
                break
            found.append(_parsed(self._inbox[HEAD.size : HEAD.size + size]))
            self._inbox = self._inbox[HEAD.size + size :]
        return found


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        message = json.loads(data)
    except ValueError as error:
        raise ConnectionError("this is not a page") from error
    if not isinstance(message, dict):
        raise ConnectionError("this is not a page")
    return message

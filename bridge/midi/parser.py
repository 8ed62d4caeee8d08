"""Takes MIDI messages out of bytes, whatever else is among them."""

from typing import Final

_DATA_BYTES: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_SYSTEM_BYTES: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
_SYSEX, _SYSEX_END, _REALTIME = 0xF0, 0xF7, 0xF8


class MidiParser:
    """Cuts bytes into channel messages and counts what is none.

    `stream` is for bytes that come in any portions, with running status; `packet` for what a driver hands
    over as one message, but which has been seen to hold several, and a tail of garbage.
    """

    def __init__(self) -> None:
        """Wait for a status byte."""
        self.garbage = 0
        """How many bytes and torn messages were dropped."""
        self._reset()

    def _reset(self) -> None:
        self._status = 0
        self._data = bytearray()
        self._in_sysex = False

    def packet(self, data: bytes) -> list[bytes]:
        """Return the whole channel messages of a packet, each with its status byte."""
        self._reset()
        messages = self._feed(data, running=False)
        self.garbage += bool(self._data) or (self._status != 0 and not self._done)
        return messages

    def stream(self, data: bytes) -> list[bytes]:
        """Return the channel messages that these bytes complete, each with its status byte."""
        return self._feed(data, running=True)

    def _feed(self, data: bytes, running: bool) -> list[bytes]:
        messages: list[bytes] = []
        self._done = False
        for byte in data:
            if byte >= _REALTIME:
                continue
            if byte >= 0x80:
                self._begin(byte)
            elif self._in_sysex:
                continue
            elif not self._status:
                self.garbage += 1
            else:
                self._data.append(byte)
                if len(self._data) == self._wanted():
                    if self._status < _SYSEX:
                        messages.append(bytes((self._status, *self._data)))
                    self._data.clear()
                    self._done = True
                    if not running or self._status >= _SYSEX:
                        self._status = 0
        return messages

    def _begin(self, status: int) -> None:
        """Start a message; one that was under way is torn."""
        self._done = False
        self.garbage += bool(self._data)
        self._data.clear()
        if status == _SYSEX_END:
            self.garbage += not self._in_sysex
            self._in_sysex, self._status = False, 0
            return
        self.garbage += self._in_sysex
        self._in_sysex = status == _SYSEX
        known = status < _SYSEX or _SYSTEM_BYTES.get(status, 0) > 0
        self._status = status if known else 0
        self.garbage += not known and status not in (_SYSEX, 0xF6)

    def _wanted(self) -> int:
        return _DATA_BYTES[self._status & 0xF0] if self._status < _SYSEX else _SYSTEM_BYTES[self._status]

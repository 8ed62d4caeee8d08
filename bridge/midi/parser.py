"""Takes channel messages out of MIDI bytes, whatever else is among them."""

from ghostnote.bridge.midi.spec import CHANNEL_DATA_BYTES, REALTIME, SYSEX, SYSEX_END, SYSTEM_DATA_BYTES, TUNE_REQUEST


class MidiParser:
    """Cuts bytes into channel messages and counts the rest.

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
            if byte >= REALTIME:
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
                    if self._status < SYSEX:
                        messages.append(bytes((self._status, *self._data)))
                    self._data.clear()
                    self._done = True
                    if not running or self._status >= SYSEX:
                        self._status = 0
        return messages

    def _begin(self, status: int) -> None:
        """Start a message; one that was under way is torn."""
        self._done = False
        self.garbage += bool(self._data)
        self._data.clear()
        if status == SYSEX_END:
            self.garbage += not self._in_sysex
            self._in_sysex, self._status = False, 0
            return
        self.garbage += self._in_sysex
        self._in_sysex = status == SYSEX
        has_data = status < SYSEX or SYSTEM_DATA_BYTES.get(status, 0) > 0
        self._status = status if has_data else 0
        self.garbage += not has_data and status not in (SYSEX, TUNE_REQUEST)

    def _wanted(self) -> int:
        is_channel = self._status < SYSEX
        return CHANNEL_DATA_BYTES[self._status & 0xF0] if is_channel else SYSTEM_DATA_BYTES[self._status]

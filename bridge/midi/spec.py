"""The lengths of MIDI messages by their status byte, and of times, as the MIDI 1.0 specification has them."""

from typing import Final

SONG_SUFFIXES: Final = (".mid", ".midi")
"""Endings of MIDI files."""
CHANNEL_DATA_BYTES: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
"""Data bytes of a channel message, by its status without the channel."""
SYSTEM_DATA_BYTES: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
"""Data bytes of a system common message; those of a sysex end with `SYSEX_END`."""
SYSEX, TUNE_REQUEST, SYSEX_END, REALTIME = 0xF0, 0xF6, 0xF7, 0xF8
"""From `REALTIME` on a status byte is a whole message, which may stand inside another."""
LONGEST_TIME: Final = 0x0FFFFFFF
"""The greatest number that a file can hold: four bytes of seven bits."""


def variable_length(value: int) -> bytes:
    """Return a number as MIDI files write lengths and times: seven bits a byte, the last byte below 128."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))

"""The lengths of MIDI messages by their status byte, as the MIDI 1.0 specification has them."""

from typing import Final

CHANNEL_DATA_BYTES: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
"""Data bytes of a channel message, by its status without the channel."""
SYSTEM_DATA_BYTES: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
"""Data bytes of a system common message; those of a sysex end with `SYSEX_END`."""
SYSEX, TUNE_REQUEST, SYSEX_END, REALTIME = 0xF0, 0xF6, 0xF7, 0xF8
"""From `REALTIME` on a status byte is a whole message, which may stand inside another."""

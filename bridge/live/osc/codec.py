"""OSC on the wire: packets parsed safely, bundles with their times, and messages made."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message import ParseError as MessageError
from pythonosc.osc_message_builder import OscMessageBuilder

from ghostnote.bridge.errors import InputError

MAX_PACKET: Final = 1500
"""The longest packet in either direction."""
IMMEDIATELY: Final = 1

_BUNDLE: Final = b"#bundle\0"
_MAX_DEPTH: Final = 8
_MAX_MESSAGES: Final = 128
_TYPES: Final = frozenset(b"ifhdsbrmtTFNIcS[]")
_ALIKE: Final = bytes.maketrans(b"ISc", b"Tsi")
"""Types that python-osc does not know, and those that look the same on the wire: an impulse is a true."""
_CHARACTER: Final = ord("c")
_EPOCH_SECONDS: Final = 2_208_988_800
"""From 1900, where OSC's times begin, to 1970."""

Argument = int | float | bool | str | bytes | None


class OscError(InputError):
    """A packet is not OSC, or asks for what cannot be done."""


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """A message and when it is due: seconds since 1970, or None for at once."""

    due: float | None
    address: str
    arguments: tuple[Argument, ...]


def unpack(packet: bytes) -> list[TimedMessage]:
    """Return all messages of a packet, bundles opened, in their order; `OscError` for anything else.

    The frame is checked here before python-osc sees a message: its own bundle parser loops forever
    on an element of negative length.
    """
    if len(packet) > MAX_PACKET:
        raise OscError(f"a packet of {len(packet)} bytes is too long: send at most {MAX_PACKET}")
    messages = list(_walk(packet, None, 0))
    if len(messages) > _MAX_MESSAGES:
        raise OscError(f"a bundle of {len(messages)} messages is too long: send at most {_MAX_MESSAGES}")
    return messages


def pack(address: str, values: tuple[Argument, ...]) -> bytes:
    """Return a message as it is sent; what is not text in a file's name is sent as question marks."""
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value.encode(errors="replace").decode() if isinstance(value, str) else value)
    return bytes(builder.build().dgram)


def timetag(seconds: float) -> bytes:
    """Return the time tag of a moment in seconds since 1970."""
    return struct.pack(">Q", round((seconds + _EPOCH_SECONDS) * 2**32))


def bundle(seconds: float | None, *elements: bytes) -> bytes:
    """Return a bundle that is due at a moment in seconds since 1970, or at once."""
    when = struct.pack(">Q", IMMEDIATELY) if seconds is None else timetag(seconds)
    return _BUNDLE + when + b"".join(struct.pack(">i", len(element)) + element for element in elements)


def _walk(packet: bytes, due: float | None, depth: int) -> Iterator[TimedMessage]:
    if packet.startswith(b"/"):
        yield _message(packet, due)
        return
    if not packet.startswith(_BUNDLE) or len(packet) < 16:
        raise OscError("a packet is neither a message nor a bundle")
    if depth == _MAX_DEPTH:
        raise OscError(f"bundles are nested deeper than {_MAX_DEPTH}")
    (tag,) = struct.unpack_from(">Q", packet, 8)
    due = None if tag == IMMEDIATELY else tag / 2**32 - _EPOCH_SECONDS
    at = 16
    while at < len(packet):
        size = int.from_bytes(packet[at : at + 4], "big", signed=True)
        at += 4
        if size <= 0 or size % 4 or at + size > len(packet):
            raise OscError(f"a bundle's element claims {size} bytes")
        yield from _walk(packet[at : at + size], due, depth + 1)
        at += size


def _message(packet: bytes, due: float | None) -> TimedMessage:
    if len(packet) % 4:
        raise OscError(f"a message of {len(packet)} bytes is cut short: the length must be a multiple of 4")
    end = packet.index(0) if 0 in packet else len(packet)
    tags_at = end // 4 * 4 + 4
    tags = packet[tags_at:].split(b"\0", 1)[0]
    if tags and (tags[:1] != b"," or not _TYPES.issuperset(tags[1:])):
        raise OscError(f"a message's types {tags[:20]!r} are not supported")
    try:
        known = tags.translate(_ALIKE)
        message = OscMessage(packet[:tags_at] + known + packet[tags_at + len(tags) :])
        values = list(message)
        if len(values) == len(tags) - 1:  # without arrays there is a type for each
            values = [chr(v) if tag == _CHARACTER else v for tag, v in zip(tags[1:], values, strict=True)]
        return TimedMessage(due, message.address.rstrip("/") or "/", tuple(values))
    except (MessageError, ValueError, OverflowError, struct.error, IndexError) as error:
        raise OscError(f"a message is damaged: {error}") from error

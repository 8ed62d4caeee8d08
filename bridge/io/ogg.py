"""Makes Ogg files reproducible: the encoder draws a random serial number for each stream."""

import struct
from typing import BinaryIO, Final

from ghostnote.bridge.errors import GhostnoteError

_POLYNOMIAL: Final = 0x04C11DB7
_SERIAL_AT: Final = 14
_CHECKSUM_AT: Final = 22
_HEADER_BYTES: Final = 27


def set_serial(file: BinaryIO, serial: int) -> None:
    """Give the one stream of an Ogg file the number `serial` and correct every page's checksum, in place.

    The checksum is linear and starts from 0 (RFC 3533, section 6), so it changes by the checksum of the
    changed bits alone: no page is read further than its header. `GhostnoteError` if this is not an Ogg file.
    """
    at, end = 0, file.seek(0, 2)
    while at < end:
        file.seek(at)
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES or header[:4] != b"OggS":
            raise GhostnoteError(f"the Ogg file that was written is damaged at byte {at}; write it again")
        size = _HEADER_BYTES + header[26] + sum(file.read(header[26]))
        (old,) = struct.unpack_from("<I", header, _SERIAL_AT)
        (checksum,) = struct.unpack_from("<I", header, _CHECKSUM_AT)
        # Bytes enter the checksum first byte highest, so the little-endian serial is byte-swapped.
        change = int.from_bytes((old ^ serial).to_bytes(4, "little"), "big")
        checksum ^= _times_power(change, 8 * (size - _SERIAL_AT - 4) + 32)
        file.seek(at + _SERIAL_AT)
        file.write(struct.pack("<I", serial))
        file.seek(at + _CHECKSUM_AT)
        file.write(struct.pack("<I", checksum))
        at += size
    file.seek(0, 2)


def _times_power(value: int, bits: int) -> int:
    """Return value · x^bits modulo the checksum's polynomial over GF(2)."""
    square = 2
    while bits:
        if bits & 1:
            value = _multiply(value, square)
        square = _multiply(square, square)
        bits >>= 1
    return value


def _multiply(a: int, b: int) -> int:
    """Return a · b modulo the checksum's polynomial over GF(2)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        b >>= 1
        a = (a << 1) ^ (_POLYNOMIAL if a & 0x80000000 else 0)
        a &= 0xFFFFFFFF
    return product

"""Repairs the headers of sound files whose writing was cut off."""

import os
import struct
from typing import BinaryIO, Final

_RIFF_LIMIT: Final = 2**32 - 1


def repair_header(file: BinaryIO) -> None:
    """Write the sizes of a file whose end is missing into its header; other formats than WAV and AIFF need none.

    `KeyError`, `struct.error` or `ZeroDivisionError` for a file without sound.
    """
    head = file.read(12)
    size = file.seek(0, os.SEEK_END)
    if len(head) < 12:
        raise KeyError("data")
    if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
        _repair_wav(file, size)
    elif head[:4] == b"FORM" and head[8:] == b"AIFF":
        _repair_aiff(file, size)


def _repair_wav(file: BinaryIO, size: int) -> None:
    chunks = _chunks(file, size, "<")
    at, frame_bytes = chunks[b"data"], _read(file, chunks[b"fmt "] + 20, "<H")
    data = (size - at - 8) // frame_bytes * frame_bytes
    is_large = size > _RIFF_LIMIT
    if is_large:
        # A 64-bit size goes where the encoder left room for it.
        room = chunks.get(b"JUNK") or chunks[b"ds64"]
        _write(file, room, "<4sIQQQ", b"ds64", 52, size - 8, data, data // frame_bytes)
    _write(file, 0, "<4sI", b"RF64" if is_large else b"RIFF", _RIFF_LIMIT if is_large else size - 8)
    _write(file, at + 4, "<I", _RIFF_LIMIT if is_large else data)


def _repair_aiff(file: BinaryIO, size: int) -> None:
    chunks = _chunks(file, size, ">")
    at, common = chunks[b"SSND"], chunks[b"COMM"]
    frame_bytes = _read(file, common + 8, ">H") * ((_read(file, common + 14, ">H") + 7) // 8)
    frames = (size - at - 16) // frame_bytes
    _write(file, 4, ">I", size - 8)
    _write(file, common + 10, ">I", frames)
    _write(file, at + 4, ">I", 8 + frames * frame_bytes)


def _chunks(file: BinaryIO, size: int, order: str) -> dict[bytes, int]:
    """Return where each chunk begins; the last is the sound, as long as it may be."""
    found: dict[bytes, int] = {}
    at = 12
    while at + 8 <= size and not found.keys() & {b"data", b"SSND"}:
        file.seek(at)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        found[name] = at
        at += 8 + length + length % 2
    return found


def _read(file: BinaryIO, at: int, form: str) -> int:
    file.seek(at)
    return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])


def _write(file: BinaryIO, at: int, form: str, *values: object) -> None:
    file.seek(at)
    file.write(struct.pack(form, *values))

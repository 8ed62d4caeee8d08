"""MIDI files byte by byte."""

import struct


def track(body: bytes, length: int | None = None) -> bytes:
    return b"MTrk" + struct.pack(">I", len(body) if length is None else length) + body


def smf(*tracks: bytes, kind: int = 1, division: int = 480, count: int | None = None) -> bytes:
    declared = len(tracks) if count is None else count
    return b"MThd" + struct.pack(">IHHH", 6, kind, declared, division) + b"".join(tracks)

"""How the samples lie in an uncompressed WAV file, and those of 64 bits, which pedalboard reads in part."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_HEAD_BYTES: Final = 65_536
_FLOAT, _EXTENSIBLE = 3, 0xFFFE
_UNCOMPRESSED: Final = (1, _FLOAT, _EXTENSIBLE)


@dataclass(frozen=True)
class WavLayout:
    """What a WAV file's header says of its samples, and how many the file has room for."""

    channels: int
    rate: int
    """In Hz."""
    frames: int
    """Frames that the file has room for: a header may promise more, or fewer where other chunks follow."""
    is_double: bool
    """Whether samples are floating-point numbers of 64 bits."""
    data_at: int
    """Where the samples begin."""
    data_bytes: int
    """How many bytes the header promises."""


def wav_layout(path: Path) -> WavLayout | None:
    """Return the layout of an uncompressed WAV file; None for any other file, `ValueError` for one that is damaged."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        size = file.seek(0, os.SEEK_END)
    at = head.find(b"fmt ")
    if head[:4] not in (b"RIFF", b"RF64") or at < 0 or len(head) < at + 24:
        return None
    tag, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", head, at + 8)
    if tag not in _UNCOMPRESSED:
        return None
    if frame_bytes == 0:
        raise ValueError("its header says that frames have no bytes")
    if tag == _EXTENSIBLE:
        tag = int.from_bytes(head[at + 32 : at + 34], "little")
    data_at = head.find(b"data", at + 8) + 8
    promised = int.from_bytes(head[data_at - 4 : data_at], "little")
    is_double = (tag, bits, frame_bytes) == (_FLOAT, 64, 8 * channels) and data_at >= 8
    return WavLayout(channels, rate, (size - max(data_at, 0)) // frame_bytes, is_double, data_at, promised)


def read_doubles(path: Path, layout: WavLayout) -> NDArray[np.float32]:
    """Return the samples of a WAV file of 64 bits, `(channels, frames)`; what float32 cannot hold is infinite."""
    frames = min(layout.frames, layout.data_bytes // (8 * layout.channels))
    with path.open("rb") as file:
        file.seek(layout.data_at)
        samples = np.fromfile(file, "<f8", frames * layout.channels)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(samples.reshape(-1, layout.channels).T, np.float32)

"""Checks that a sound file can serve as a hit."""

import os
import struct
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.io.input_file import read_head

SILENCE_PEAK: Final = 1e-4
"""-80 dBFS: a file whose peak stays below counts as silent."""

_RATES_HZ: Final = (1_000, 768_000)
_UNCOMPRESSED: Final = (1, 3, 0xFFFE)


def check_file(path: Path) -> None:
    """Raise `AudioFileError` unless `path` is a file with something in it that may be read."""
    if not read_head(path, "a sound file", AudioFileError, 1):
        raise AudioFileError(f"{path}: is empty (0 bytes); record or copy it again")


def check_rate(path: Path, rate: float) -> int:
    """Return the rate as a whole number of Hz, or raise `AudioFileError` for one out of range."""
    low, high = _RATES_HZ
    if not low <= rate <= high:
        raise AudioFileError(f"{path}: its rate is {rate:g} Hz; it must lie between {low} and {high}")
    return round(rate)


def check_samples(path: Path, audio: NDArray[np.float32]) -> None:
    """Raise `AudioFileError` for sound that is empty, silent, or holds NaN or infinity."""
    if audio.size == 0:
        raise AudioFileError(f"{path}: holds no samples; record or copy it again")
    if not np.isfinite(audio).all():
        raise AudioFileError(f"{path}: holds values that are not numbers (NaN, infinity); export it again")
    if np.abs(audio).max() < SILENCE_PEAK:
        raise AudioFileError(f"{path}: is silent (peak below {20 * np.log10(SILENCE_PEAK):.0f} dBFS); record it again")


def frames_present(path: Path) -> int:
    """Return how many frames an uncompressed WAV file has room for, or a huge number for any other file.

    Recorders that crash and programs that write into pipes leave a header that promises more.
    """
    with path.open("rb") as file:
        head = file.read(65_536)
        size = file.seek(0, os.SEEK_END)
    at = head.find(b"fmt ")
    if head[:4] not in (b"RIFF", b"RF64") or at < 0 or len(head) < at + 24:
        return sys.maxsize
    tag, _, _, _, frame_bytes = struct.unpack_from("<HHIIH", head, at + 8)
    if tag not in _UNCOMPRESSED or frame_bytes == 0:
        return sys.maxsize
    data_at = head.find(b"data", at + 8)
    return int(size - (data_at + 8 if data_at >= 0 else 0)) // int(frame_bytes)

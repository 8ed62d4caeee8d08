"""Stems: one file a pad, with one gain for all of them where one would clip."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pedalboard.io import AudioFile

from ghostnote.bridge.io.audio_file import AudioWriter, format_for

Audio = NDArray[np.float32]

_CEILING: Final = 0.9999
"""Full scale, less what rounding and dither add."""
_BLOCK_FRAMES: Final = 1 << 16
_MOST_AT_ONCE: Final = 4


@dataclass
class StemWriter:
    """Writes a stem and notes what clips, so that it can be made softer afterwards."""

    writer: AudioWriter
    peak: float = 0.0
    """The highest sample so far, before it is clipped."""
    over: list[tuple[NDArray[np.intp], NDArray[np.intp], Audio]] = field(default_factory=list)
    """Channels, frames and values of the samples above full scale."""

    def write(self, block: Audio) -> None:
        """Append a block (2, frames); errors are those of `AudioWriter`."""
        peak = float(max(block.max(initial=0.0), -block.min(initial=0.0)))
        if peak > 1:
            channels, frames = np.nonzero(np.abs(block) > 1)
            self.over.append((channels, frames + self.writer.frames, block[channels, frames]))
        self.peak = max(self.peak, peak)
        self.writer.write(block)


def soften(stems: Mapping[Path, StemWriter], rate: int, bits: int | None) -> float:
    """Give the finished files of `stems` one gain, if one of them clips, and return it in dB; 0 where none does.

    Formats of floating point do not clip. `OutputError` where a file cannot be written.
    """
    peak = max((stem.peak for stem in stems.values()), default=0.0)
    if peak <= 1 or format_for(next(iter(stems)), bits)[1] not in (16, 24):
        return 0.0
    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        for done in [pool.submit(_rewrite, path, stem, rate, bits, _CEILING / peak) for path, stem in stems.items()]:
            done.result()
    return float(20 * np.log10(_CEILING / peak))


def _rewrite(path: Path, stem: StemWriter, rate: int, bits: int | None, gain: float) -> None:
    """Write a file again with a gain, and with what was clipped in it."""
    channels, frames, values = _joined(stem.over)
    with AudioFile(str(path)) as source, AudioWriter(path, rate, source.num_channels, bits) as target:
        while target.frames < source.frames:
            at = target.frames
            block = source.read(_BLOCK_FRAMES)
            first, last = np.searchsorted(frames, (at, at + block.shape[1]))
            block[channels[first:last], frames[first:last] - at] = values[first:last]
            target.write(block * np.float32(gain))


def _joined(
    over: Iterable[tuple[NDArray[np.intp], NDArray[np.intp], Audio]],
) -> tuple[NDArray[np.intp], NDArray[np.intp], Audio]:
    """Return all samples above full scale in the order of their frames."""
    empty = np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.float32)
    channels, frames, values = (np.concatenate(parts) for parts in zip(empty, *over, strict=True))
    order = np.argsort(frames, kind="stable")
    return channels[order], frames[order], values[order]

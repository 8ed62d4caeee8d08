"""Recorded strokes of many microphones, mixed down to stereo files."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.io.audio_checks import opened_audio
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.kit.importers.region import Found, Region

_FLOAT_BITS = 32


def mixed_down(found: Found, folder: Path) -> None:
    """Write a file into `folder` for each region that has channels to mix, and let the region have it.

    `AudioFileError` for a file that cannot be read or lacks a channel.
    """
    counts: dict[Path, int] = {}
    for at, region in enumerate(found.regions):
        if not region.channels:
            continue
        if _is_whole(region, counts):
            found.regions[at] = replace(region, channels=())
            continue
        path = folder / f"{at + 1:05d}.wav"
        folder.mkdir(parents=True, exist_ok=True)
        write_audio(path, *_mixed(region), _FLOAT_BITS, durable=False)
        found.regions[at] = replace(region, file=path, channels=())


def needs_mixing(found: Found) -> bool:
    """Return whether a kit's strokes must be mixed before they are files."""
    counts: dict[Path, int] = {}
    return any(region.channels and not _is_whole(region, counts) for region in found.regions)


def _is_whole(region: Region, counts: dict[Path, int]) -> bool:
    """Return whether a region's channels are one whole file as it is: mono, or left and right."""
    file = region.channels[0].file
    if any(channel.file != file for channel in region.channels):
        return False
    if file not in counts:
        try:
            with opened_audio(file) as opened:
                counts[file] = int(opened.num_channels)
        except (ValueError, RuntimeError, OSError) as error:
            raise AudioFileError(f"{file}: is not a sound file, or is damaged ({error}); export it again") from error
    places = {(channel.number, channel.side) for channel in region.channels}
    mono = ({(0, -1), (0, 1)}, {(0, 0)})
    return places in (mono if counts[file] == 1 else ({(0, -1), (1, 1)},)) and counts[file] <= 2


def _mixed(region: Region) -> tuple[np.ndarray, int]:
    """Return the sum of a region's channels (2, frames) at the first one's rate."""
    sides: list[tuple[np.ndarray, int]] = []
    rate = 0
    for channel in region.channels:
        audio, own_rate = read_audio(channel.file)
        rate = rate or own_rate
        if not 0 <= channel.number < len(audio):
            raise AudioFileError(
                f"{channel.file}: has {len(audio)} channels, but its kit plays number {channel.number + 1}; mend it"
            )
        sides.append((resample(audio[channel.number : channel.number + 1], own_rate, rate), channel.side))
    mix = np.zeros((2, max(audio.shape[1] for audio, _ in sides)), np.float32)
    for audio, side in sides:
        for row in range(2) if side == 0 else ((side + 1) // 2,):
            mix[row, : audio.shape[1]] += audio[0]
    return mix, rate

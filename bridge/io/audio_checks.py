"""Opens sound files, and checks that they can serve as hits."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from pedalboard.io import AudioFile

from ghostnote.bridge.dsp.conversion import MAX_CHANNELS
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.io.arguments import RATES_HZ
from ghostnote.bridge.io.input_file import read_head
from ghostnote.bridge.io.wav_layout import wav_layout

SILENCE_PEAK: Final = 1e-4
"""-80 dBFS: a file whose peak stays below counts as silent."""

LOUDEST_PEAK: Final = 1e6
"""120 dB over full scale: no recording has it, and squares of what is far beyond are infinite."""

MIN_SECONDS: Final = 0.002
"""A shorter file would be all fade: no stroke of it is heard."""

MAX_SAMPLES: Final = 60 * 8 * 192_000
"""A minute of eight channels at 192 kHz: a file of more, or one that claims more, would fill the memory."""


def check_file(path: Path) -> None:
    """Raise `AudioFileError` unless `path` is a file with something in it that may be read."""
    if not read_head(path, "a sound file", AudioFileError, 1):
        raise AudioFileError(f"{path}: is empty (0 bytes); record or copy it again")


@contextmanager
def opened_audio(path: Path) -> Iterator[Any]:
    """Yield a sound file opened by pedalboard, which takes no name that is not UTF-8.

    `AudioFileError` for no channel or more than `MAX_CHANNELS`; `ValueError`, `RuntimeError` or `OSError` where it
    cannot be opened.
    """
    # Opening a file of 64 bits and as many channels crashes.
    layout = wav_layout(path)
    if layout:
        check_channels(path, layout.channels)
    with ExitStack() as stack:
        try:
            name: str | BinaryIO = str(path).encode().decode()
        except UnicodeEncodeError:
            name = stack.enter_context(path.open("rb"))
        file = stack.enter_context(AudioFile(name))
        check_channels(path, file.num_channels)
        yield file


def file_seconds(path: Path) -> float | None:
    """Return how long a sound file lasts by its header; None where it cannot be read."""
    try:
        with opened_audio(path) as file:
            return float(file.frames / file.samplerate)
    except (ValueError, RuntimeError, OSError, AudioFileError):
        return None


def file_channels(path: Path) -> int | None:
    """Return how many channels a sound file has by its header; None where it cannot be read."""
    try:
        with opened_audio(path) as file:
            return int(file.num_channels)
    except (ValueError, RuntimeError, OSError, AudioFileError):
        return None


def check_channels(path: Path, channels: int) -> None:
    """Raise `AudioFileError` for a number of channels that is not read and written."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioFileError(f"{path}: has {channels:,} channels, but 1 to {MAX_CHANNELS} can be used; save it anew")


def check_rate(path: Path, rate: float) -> int:
    """Return the rate as a whole number of Hz, or raise `AudioFileError` for one out of range."""
    low, high = RATES_HZ
    if not low <= rate <= high:
        raise AudioFileError(f"{path}: its rate is {rate:g} Hz; it must lie between {low} and {high}")
    return round(rate)


def check_length(path: Path, frames: int, channels: int, rate: int, max_seconds: float) -> None:
    """Raise `AudioFileError` for sound that is too long, or too large to be read into memory."""
    if frames > max_seconds * rate:
        raise AudioFileError(f"{path}: lasts {frames / rate:.1f} seconds, at most {max_seconds:g} are read; cut it")
    if frames * channels > MAX_SAMPLES:
        raise AudioFileError(
            f"{path}: claims {frames:,} frames of {channels} channels, at most {MAX_SAMPLES:,} samples are read; "
            "save it with fewer channels or at a lower rate"
        )


def check_samples(path: Path, audio: NDArray[np.float32], rate: int) -> None:
    """Raise `AudioFileError` for sound that is empty, silent, too short or loud, or holds NaN or infinity."""
    if audio.size == 0:
        raise AudioFileError(f"{path}: holds no samples; record or copy it again")
    # NaN passes through both; a file near the bound is not copied.
    peak = np.maximum(audio.max(), -audio.min())
    if not np.isfinite(peak):
        raise AudioFileError(f"{path}: holds values that are not numbers (NaN, infinity); export it again")
    if peak > LOUDEST_PEAK:
        raise AudioFileError(f"{path}: has a peak of {peak:.0e}, where 1 is full scale; export it again")
    if peak < SILENCE_PEAK:
        floor_db = 20 * np.log10(SILENCE_PEAK)
        raise AudioFileError(f"{path}: is silent (peak below {floor_db:.0f} dBFS), or cut off; record or copy it again")
    if audio.shape[1] < MIN_SECONDS * rate:
        milliseconds = 1000 * audio.shape[1] / rate
        raise AudioFileError(
            f"{path}: lasts {milliseconds:.2g} ms, a hit at least {1000 * MIN_SECONDS:g}; record or copy it again"
        )

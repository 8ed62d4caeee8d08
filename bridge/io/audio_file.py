"""Sound files: hits are read whole and checked, takes are written block by block and atomically."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from numbers import Integral
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray
from pedalboard.io import AudioFile

from ghostnote.bridge.dsp.dither import dither
from ghostnote.bridge.errors import AudioFileError, OutputError
from ghostnote.bridge.io.arguments import RATES_HZ, as_path, as_sound, check_whole
from ghostnote.bridge.io.atomic_file import check_size, output_errors, replacing, write_bytes
from ghostnote.bridge.io.audio_checks import (
    check_channels,
    check_file,
    check_length,
    check_rate,
    check_samples,
    opened_audio,
)
from ghostnote.bridge.io.ogg import set_serial
from ghostnote.bridge.io.wav_layout import read_doubles, wav_layout

MAX_HIT_SECONDS: Final = 60.0
"""A longer file is a song or a loop, not a hit."""

_SAYS_NO_MORE: Final = "does not seem to contain audio data"
"""What the library's sentence on a file of another kind says: no more than ours."""
_FULL_SCALE: Final = {16: 2**15 - 1, 24: 2**23 - 1}
_OGG_SERIAL, _OGG_QUALITY = 0x67686F73, "best"


@dataclass(frozen=True)
class AudioFormat:
    """A format in which sound files are written, chosen by the ending of the file's name."""

    suffix: str
    """The ending of the file name, with its dot, in lower case."""
    container: str
    """Its name in pedalboard."""
    bits: tuple[int, ...]
    """Sample sizes, the default first; 32 is floating point, none a lossy codec."""


FORMATS: Final = {
    f.suffix: f
    for f in (
        AudioFormat(".wav", "wav", (24, 16, 32)),
        AudioFormat(".flac", "flac", (24, 16)),
        *(AudioFormat(suffix, "aiff", (24, 16)) for suffix in (".aiff", ".aif")),
        AudioFormat(".ogg", "ogg", ()),
    )
}
"""The formats that can be written, by the ending of the file name."""


def format_for(path: Path, bits: int | None = None) -> tuple[AudioFormat, int | None]:
    """Return the format that a file name asks for and its sample size in bits, None for a lossy codec.

    `AudioFileError` for an ending that cannot be written, or a sample size that the format lacks.
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        why = f"cannot write '{path.suffix}' files" if path.suffix else "has no ending that says the format"
        why = "is a folder; give a file name" if path.is_dir() else f"{why}; end the name in {', '.join(FORMATS)}"
        raise AudioFileError(f"{path}: {why}")
    if bits is not None and not (isinstance(bits, Integral) and bits in found.bits):
        offer = f"choose {', '.join(map(str, sorted(found.bits)))}" if found.bits else "leave the bits out"
        raise AudioFileError(f"{path}: {found.suffix} files have no {bits} bits; {offer}")
    return found, bits if bits is not None else next(iter(found.bits), None)


def names_sound_file(path: Path) -> bool:
    """Return whether a path means a sound file that can be written: folders that are there may have any name."""
    return path.suffix.lower() in FORMATS and not path.is_dir()


def read_audio(path: Path | str, *, max_seconds: float = MAX_HIT_SECONDS) -> tuple[NDArray[np.float32], int]:
    """Read a whole sound file: float32 `(channels, frames)` and its rate in Hz.

    Up to `MAX_CHANNELS` are returned as they are. `AudioFileError` for a file that is missing, a folder, unreadable,
    empty, silent, shorter than 2 ms or longer than `max_seconds`, of more channels or more than `MAX_SAMPLES`, that
    peaks 120 dB over full scale, or that holds values that are not numbers.
    """
    path = as_path("path", path)
    check_file(path)
    try:
        audio, rate = _decoded(path, max_seconds)
    except (ValueError, RuntimeError, OSError) as error:
        why = "" if _SAYS_NO_MORE in str(error) else f" ({error})"
        raise AudioFileError(f"{path}: is not a sound file, or is damaged{why}; export it again") from error
    check_samples(path, audio, rate)
    return audio, rate


def _decoded(path: Path, max_seconds: float) -> tuple[NDArray[np.float32], int]:
    layout = wav_layout(path)
    if layout and layout.is_double:
        check_channels(path, layout.channels)
        check_length(path, layout.frames, layout.channels, check_rate(path, layout.rate), max_seconds)
        return read_doubles(path, layout), layout.rate
    with opened_audio(path) as file:
        rate = check_rate(path, file.samplerate)
        # Recorders that crash and programs that write into pipes leave a header that promises more.
        frames = min(file.frames, layout.frames) if layout else file.frames
        check_length(path, frames, file.num_channels, rate, max_seconds)
        # pedalboard refuses to read 0 frames.
        return np.asarray(file.read(frames or 1), dtype=np.float32), rate


class AudioWriter:
    """Writes a sound file block by block; it appears under its name when it is complete.

    A context manager. Integer formats clip at full scale, and 16 bits get high-passed triangular dither of a
    constant seed: the same samples give the same bytes however they are cut (Ogg wants the same blocks, too).
    """

    def __init__(
        self, path: Path, rate: int, channels: int = 2, bits: int | None = None, into: BinaryIO | None = None
    ) -> None:
        """Choose the format by the name's ending; write to `into` if that is given.

        Errors as of `format_for`, and `AudioFileError` for no channel or too many.
        """
        check_channels(path, channels)
        self._path, self._rate, self._channels, self._into = path, rate, channels, into
        self._format, self._bits = format_for(path, bits)
        self.frames = 0
        """How many frames were written so far."""
        self.clipped = 0
        """How many samples stood above full scale and were clipped."""

    def __enter__(self) -> Self:
        """Open the temporary file; `OutputError` or, for a rate that the format lacks, `AudioFileError`."""
        options: dict[str, Any] = {"format": self._format.container}
        options |= {"quality": _OGG_QUALITY} if self._bits is None else {"bit_depth": self._bits}
        with ExitStack() as stack:
            self._file = self._into or stack.enter_context(replacing(self._path))
            try:
                self._encoder = AudioFile(self._file, "w", self._rate, self._channels, **options)
            except (ValueError, TypeError) as error:
                raise AudioFileError(
                    f"{self._path}: cannot be {self._channels} channels of {self._rate} Hz: {error}"
                ) from error
            stack.push(self._finish)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish, check and place the file; after an error leave nothing of it."""
        self._stack.__exit__(kind, error, trace)

    def write(self, block: NDArray[np.float32]) -> None:
        """Append `(channels, frames)`; `OutputError` on a full disk or for samples that are not numbers."""
        if block.ndim != 2 or block.shape[0] != self._channels:
            raise ValueError(f"a block of shape {block.shape} in a file of {self._channels} channels")
        peak = max(block.max(initial=0.0), -block.min(initial=0.0))
        if not np.isfinite(peak):
            raise OutputError(f"cannot write {self._path}: the sound holds values that are not numbers")
        if self._bits in _FULL_SCALE and peak > 1.0:
            self.clipped += int(np.count_nonzero(np.abs(block) > 1.0))
        check_size(self._path, self._format.container, (self.frames + block.shape[1]) * self._channels, self._bits)
        samples = self._quantized(block)
        # pedalboard cannot tell channels from frames in a square array: it goes in two parts.
        is_square = block.shape[0] == block.shape[1]
        with self._errors():
            for part in np.array_split(samples, 2, axis=1) if is_square else [samples]:
                if part.size:
                    self._encoder.write(np.ascontiguousarray(part))
        self.frames += block.shape[1]

    def _quantized(self, block: NDArray[np.float32]) -> NDArray[Any]:
        """Round to the file's integers (24 bits at the top of 32), or leave floating point as it is."""
        if self._bits not in _FULL_SCALE:
            return block.astype(np.float32, copy=False)
        scale = _FULL_SCALE[self._bits]
        if self._bits == 24:
            exact = np.rint(block * np.float64(scale))
            return exact.clip(-scale, scale, out=exact).astype(np.int32) << 8
        steps = block * np.float32(scale)
        # Digital silence stays silent.
        steps += dither(self._channels, block.shape[1], self.frames) * (block != 0.0)
        np.rint(steps, out=steps)
        return steps.clip(-scale, scale, out=steps).astype(np.int16)

    def _finish(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the encoder and check that every frame arrived."""
        if error is not None:
            # The file is about to be removed; closing may fail again for the same reason.
            with suppress(Exception):
                self._encoder.close()
            return
        with self._errors():
            self._encoder.close()
            if self._format.container == "ogg":
                set_serial(self._file, _OGG_SERIAL)
            if self._into is not None:
                # In memory nothing is lost on the way.
                return
            self._file.seek(0)
            with AudioFile(self._file) as written:
                frames = written.frames
        if frames != self.frames:
            raise OutputError(f"cannot write {self._path}: of {self.frames} frames {frames} arrived; is the disk full?")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the encoder raises into an `OutputError` that names the file."""
        try:
            with output_errors(self._path):
                yield
        except SystemError as error:
            # In this the Ogg encoder wraps what the file object raised, Ctrl-C included.
            with output_errors(self._path):
                raise error.__cause__ or error from None
        except (ValueError, RuntimeError) as error:
            raise OutputError(f"cannot write {self._path}: {error}") from error


def write_audio(
    path: Path | str, audio: NDArray[np.float32], rate: int, bits: int | None = None, *, durable: bool = True
) -> bytes:
    """Write `(channels, frames)` as one file, whole or not at all, and return its bytes.

    Everything else is as in `AudioWriter`; `durable` is as in `replacing`. `InputError` for what is no path, no array
    of floating-point numbers of that shape, or a number that is none or out of its range.
    """
    path, data = as_path("path", path), BytesIO()
    audio = as_sound(audio, f"sound for {path}", 0)
    check_whole("rate", rate, *RATES_HZ)
    with output_errors(path), AudioWriter(path, rate, audio.shape[0], bits, into=data) as writer:
        writer.write(audio)
    written = data.getvalue()
    write_bytes(path, written, durable=durable)
    return written

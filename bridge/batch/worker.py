"""One file of a batch: a hit is read, its strokes are made and written, and each file is recorded."""

import errno
import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.batch.full_band import MOST_WIDENED, HitVariator, HitVariatorSpec, Strokes, stroke_maker
from ghostnote.bridge.batch.recorded_strokes import strokes_of_many
from ghostnote.bridge.batch.settings import LAYER_STRIDE, BatchSettings, layer_bounds
from ghostnote.bridge.batch.sources import SourceFile
from ghostnote.bridge.classify.classifier import Guess, class_by_sound, not_a_hit
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.errors import GhostnoteError, InputError, OutputError
from ghostnote.bridge.inference.variation import StrokeKey, Variation
from ghostnote.bridge.io.atomic_file import output_errors, prepare_folder
from ghostnote.bridge.io.audio_file import FORMATS, read_audio, write_audio
from ghostnote.bridge.io.sample_size import source_bits
from ghostnote.bridge.kit.kit import pad_seed

_SPOOLED_BYTES: Final = 2**26
"""Of strokes that wait in memory."""
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

Audio = NDArray[np.float32]


class NotAHitError(InputError):
    """A sound is left out on purpose: it is a loop or a melody."""


@dataclass(frozen=True)
class FileTask:
    """One source, and what an earlier run recorded of it."""

    source: SourceFile
    output: Path
    earlier: tuple[dict[str, str], ...] = ()
    """The rows of an interrupted run."""


@dataclass(frozen=True)
class FileResult:
    """One source's rows of the manifest, or the reason why there are none."""

    place: str
    rows: tuple[dict[str, str], ...] = ()
    problem: str | None = None
    by_design: bool = False
    """Whether the source is whole, but not a hit."""
    notes: tuple[str, ...] = ()
    """What the user should know all the same."""
    reused: bool = False
    """Whether all its files were already there."""


@dataclass(frozen=True)
class Humanizer:
    """Opens a `HitVariator` in a worker process and humanizes one source after another with it."""

    spec: HitVariatorSpec
    settings: BatchSettings

    def __call__(self) -> Callable[[FileTask], FileResult]:
        """Open the model; what is returned reports a source's faults, and raises only when the disk has no room."""
        variator = self.spec.open()

        def work(task: FileTask) -> FileResult:
            try:
                return _humanized(task, self.settings, variator)
            except Exception as error:
                cause = error.__cause__
                if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
                    raise
                problem = failure(task.source.path, error)
                return FileResult(task.source.place, problem=problem, by_design=isinstance(error, NotAHitError))

        return work


def failure(path: Path, error: Exception) -> str:
    """Return why a source was left out, in a sentence."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, GhostnoteError):
        return f"{path}: {error}"
    if isinstance(error, OSError):
        return f"{path}: cannot be read ({error})"
    if isinstance(error, MemoryError):
        return f"{path}: needs more memory than there is; cut it, or give fewer --jobs"
    return f"{path}: cannot be used ({type(error).__name__}: {error})"


def examine(source: SourceFile, audio: Audio, rate: int, settings: BatchSettings) -> Guess:
    """Return a hit's class; `NotAHitError` for a sound that is not a single hit, unless settings force it."""
    reason = None if settings.force else not_a_hit(audio, rate)
    if reason:
        raise NotAHitError(f"{source.path}: not a drum hit: {reason}; add --force to humanize it all the same")
    if settings.drum_class:
        return Guess(settings.drum_class, "given")
    return source.guess or class_by_sound(audio, rate)


def _humanized(task: FileTask, settings: BatchSettings, variator: HitVariator) -> FileResult:
    source = task.source
    audio, rate = read_audio(source.path)
    digest = _digest_of(source)
    if _intact(task, digest):
        return FileResult(source.place, task.earlier, reused=True)
    guess = examine(source, audio, rate, settings)
    suffix = FORMATS[f".{settings.format}"]
    wanted = settings.bits or source_bits(source.path)
    bits = wanted if wanted in suffix.bits else suffix.bits[0]
    seed = pad_seed(settings.seed, source.place)
    common = {
        "source": source.place,
        "source_sha256": digest,
        "class": guess.drum_class,
        "class_from": guess.source,
        "class_probability": f"{guess.probability:.2f}",
        "seed": str(seed),
        "amount": f"{settings.amount:g}",
        "width": f"{settings.width:g}",
        "steps": str(settings.steps),
        "rate": str(settings.rate or rate),
        "bits": str(bits),
        "model": variator.name,
    }
    variation = Variation(seed, settings.amount, settings.width, settings.steps)

    def make(sound: Audio, variation: Variation) -> Strokes:
        return stroke_maker(sound, rate, guess.drum_class, variation, variator)

    strokes = strokes_of_many(source.hits, len(audio), rate, variation, make) if source.hits else make(audio, variation)
    prepare_folder(task.output / source.place)
    rows = tuple(common | row for row in _written(task, strokes, rate, bits, settings))
    return FileResult(source.place, rows, notes=tuple(_notes(source, guess, len(audio), settings)))


def _notes(source: SourceFile, guess: Guess, channels: int, settings: BatchSettings) -> Iterator[str]:
    """Yield what the user should know of a file that was humanized."""
    path = source.path
    if source.hits:
        yield f"{source.place}: {len(source.hits)} files are strokes of one drum, the loudest {path.name}"
    if source.shortened:
        yield f"{path}: too long a name for its strokes; they are in {source.place}"
    if guess.source == "sound":
        yield f"{path}: {guess.phrase}"
    if settings.width and channels > MOST_WIDENED:
        yield (
            f"{path}: has {channels} channels, and --width widens files of one or two; its stereo image "
            "stays as it is: mix it down to two channels to widen it"
        )


def _written(
    task: FileTask, strokes: Strokes, rate: int, bits: int, settings: BatchSettings
) -> Iterator[dict[str, str]]:
    """Make and write every stroke of a source; yield the columns that differ from stroke to stroke."""
    name = Path(task.source.place).name
    layers = list(enumerate(layer_bounds(settings.velocities), 1))
    wanted = [(*layer, number) for layer in layers for number in range(1, settings.count + 1)]
    keys = [StrokeKey(layer * LAYER_STRIDE + number, high) for layer, (_, high), number in wanted]
    final_rate = settings.rate or rate
    finished = (resample(stroke, rate, final_rate) for stroke in strokes(keys))
    with SpooledTemporaryFile(_SPOOLED_BYTES, dir=str(task.output)) as spool:
        with output_errors(task.output):
            # Integer files clip at full scale: if one stroke is louder all come down, and the layers keep their steps.
            gain, sounds = (1.0, finished) if bits == 32 else _within_full_scale(finished, spool)
        for (layer, (low, high), number), key, sound in zip(wanted, keys, sounds, strict=True):
            relative = f"{task.source.place}/{name}_v{layer}_rr{number}.{settings.format}"
            path = task.output / relative
            if path.is_symlink():
                raise OutputError(f"cannot write {path}: it is a link, perhaps to a source; remove it")
            # The checksum finds what a power cut took; waiting for the disk would take a tenth of the time.
            data = write_audio(path, sound, final_rate, bits, durable=False)
            yield {
                "path": relative,
                "layer": str(layer),
                "low_velocity": str(low),
                "high_velocity": str(high),
                "round_robin": str(number),
                "index": str(key.index),
                "channels": str(len(sound)),
                "frames": str(sound.shape[1]),
                "gain_db": f"{20 * np.log10(gain):.2f}",
                "sha256": hashlib.sha256(data).hexdigest(),
            }


def _within_full_scale(strokes: Iterator[Audio], spool: IO[bytes]) -> tuple[float, Iterator[Audio]]:
    """Return the gain, at most 1, that brings all strokes below full scale, and the strokes under it.

    They wait in `spool`, as together they may be larger than the memory.
    """
    peak, shapes = 1.0, []
    for stroke in strokes:
        peak = max(peak, float(np.abs(stroke).max()))
        shapes.append(stroke.shape)
        spool.write(np.ascontiguousarray(stroke, np.float32).tobytes())
    spool.seek(0)
    sounds = (np.frombuffer(spool.read(4 * math.prod(shape)), np.float32).reshape(shape) for shape in shapes)
    return 1.0 / peak, (sound if peak == 1.0 else sound * np.float32(1.0 / peak) for sound in sounds)


def _intact(task: FileTask, digest: str) -> bool:
    """Return whether an earlier run's files of this very source are all there, unchanged."""
    try:
        return bool(task.earlier) and all(
            row["source_sha256"] == digest and _digest(task.output / row["path"]) == row["sha256"]
            for row in task.earlier
        )
    except (OSError, KeyError):
        return False


def _digest_of(source: SourceFile) -> str:
    digests = [*map(_digest, source.files)]
    return hashlib.sha256("".join(digests).encode()).hexdigest() if source.hits else digests[0]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

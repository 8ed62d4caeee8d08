"""Sound files in, sound files out: what the commands of all tools do with files.

A tool takes one hit and gives its results as arrays. Everything else is here: files and folders of them, the form in
which the results are written, names that replace nothing, and files that fail while the others go on.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.batch.worker import failure
from ghostnote.bridge.classify.classifier import Guess
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.loudness import LEAST_SAID_DB
from ghostnote.bridge.errors import InputError, OutputError
from ghostnote.bridge.io.audio_file import FORMATS, format_for, read_audio, write_audio
from ghostnote.bridge.io.hit_files import HIT_SUFFIXES, hit_files, unread_sounds
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.output_guard import numbered
from ghostnote.bridge.io.sample_size import source_bits
from ghostnote.bridge.midi.spec import SONG_SUFFIXES
from ghostnote.bridge.tools.description import class_of, pitch_hz, summary
from ghostnote.bridge.tools.output_form import OutputForm

Audio = NDArray[np.float32]

_FALLBACK_SUFFIX: Final = ".wav"
_FLOAT_BITS: Final = 32


@dataclass(frozen=True, eq=False)
class FileHit:
    """A hit as it was read."""

    path: Path
    audio: Audio
    """(channels, frames)."""
    rate: int
    """In Hz."""
    given_class: str | None = None
    """What the user says that it is."""

    @cached_property
    def guess(self) -> Guess:
        """Its class: given, or by its name, or by its sound."""
        return class_of(self.path, self.audio, self.rate, self.given_class)

    @cached_property
    def pitch_hz(self) -> float | None:
        """The frequency of its strongest partial; None where little of it rings."""
        return pitch_hz(self.audio, self.rate)

    def at(self, rate: int) -> Audio:
        """Return its sound at another rate in Hz."""
        return resample(self.audio, self.rate, rate)

    @property
    def summary(self) -> str:
        """What it is, in words."""
        return summary(self.audio, self.rate, self.guess, self.pitch_hz)


@dataclass(frozen=True, eq=False)
class ToolResult:
    """One sound that a tool made of a hit."""

    audio: Audio
    """(channels, frames)."""
    label: str = ""
    """What goes behind the file's name where a hit has several results, as in '2' or 'left'."""
    note: str = ""
    """What the user should know of it."""
    rate: int | None = None
    """In Hz; None is the hit's."""
    baseline: tuple[str, Audio] | None = None
    """What a plainer method makes instead, with its name, for a figure to compare with; at the same rate."""


Tool = Callable[[FileHit], Iterable[ToolResult]]
"""Makes results of one hit; an `InputError` of it fails that file alone."""


@dataclass(frozen=True)
class FileTask:
    """One source, and the name that its result gets where it has just one."""

    source: Path
    target: Path


@dataclass(frozen=True, eq=False)
class FileOutcome:
    """What became of one source."""

    task: FileTask
    hit: FileHit | None = None
    results: tuple[ToolResult, ...] = ()
    written: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    """What the user should know, a sentence each."""
    problem: str | None = None
    """Why there is no result, with the file's name."""


def plan(paths: Sequence[Path], form: OutputForm, *, songs: bool = False) -> list[FileTask]:
    """Return a task for each sound file among `paths` and in the folders among them, and what it will be called.

    With `songs` they are MIDI files, that become sound files. `InputError` for a path that is not there, where nothing
    is found, for one output file of several sources, or for a form that cannot be written.
    """
    form.check()
    name, suffixes = ("MIDI", SONG_SUFFIXES) if songs else ("sound", HIT_SUFFIXES)
    found = list(_sources(paths, form, suffixes))
    if not found:
        names = ", ".join(map(str, paths))
        others = "" if songs else "".join(f"; {line}" for line in unread_sounds(paths, links=True))
        raise InputError(f"{names}: no {name} files found; ghostnote reads {', '.join(suffixes)}{others}")
    if form.path is not None and form.is_file:
        if len(found) > 1:
            raise InputError(f"{form.path}: is one file, and there are {len(found)} sources; give a folder")
        return [FileTask(found[0][0], form.path)]
    return [FileTask(source, _target(source, root, form)) for source, root in found]


def process(tasks: Iterable[FileTask], form: OutputForm, tool: Tool) -> Iterator[FileOutcome]:
    """Read each source, write what the tool makes of it, and yield what became of it.

    A source that cannot be used is named in its outcome and the others go on; `OutputError` where a file cannot be
    written ends it, and what was written before stays.
    """
    for task in tasks:
        try:
            hit = FileHit(task.source, *read_audio(task.source), form.drum_class)
            results = tuple(tool(hit))
            outcome = FileOutcome(task, hit, results, *_written(task, hit, results, form))
        except OutputError:
            raise
        except Exception as error:
            outcome = FileOutcome(task, problem=_problem(task.source, error))
        yield outcome


def write_result(path: Path, audio: Audio, rate: int, source: Path, form: OutputForm) -> tuple[Path, tuple[str, ...]]:
    """Write one sound in the form that is asked for or the source has; return its path and what the user should know.

    What is there already stays: the new file gets a number. What would clip is turned down.
    """
    free, notes = numbered(path), []
    if free != path:
        notes.append(f"{path} is there already: wrote {free}")
    bits = _bits(path, source, form)
    final_rate = form.rate or rate
    audio = resample(audio, rate, final_rate)
    peak = float(np.abs(audio).max(initial=0.0))
    if peak > 1 and bits != _FLOAT_BITS:
        audio = audio / np.float32(peak)
        down_db = 20 * np.log10(peak)
        if down_db >= LEAST_SAID_DB:
            notes.append(f"{free} is turned down by {down_db:.1f} dB, or it would clip")
    write_audio(free, audio, final_rate, bits)
    return free, tuple(notes)


def _sources(paths: Iterable[Path], form: OutputForm, suffixes: Sequence[str]) -> Iterator[tuple[Path, Path | None]]:
    """Yield each sound file once, with the folder in which it was found."""
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder; check the path")
        inside = _files_in(path, suffixes) if path.is_dir() else [path]
        output = None if form.is_file or not path.is_dir() else real_path(_folder(path, form))
        earlier = None if output == real_path(path) else output
        for file in inside:
            real = real_path(file)
            # What an earlier run wrote is not a source of this one.
            if real not in seen and not (earlier and real.is_relative_to(earlier)):
                seen.add(real)
                yield file, path if path.is_dir() else None


def _files_in(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    return [file for file in hit_files(folder, links=True, suffixes=suffixes, stems=True) if not file.is_dir()]


def _target(source: Path, root: Path | None, form: OutputForm) -> Path:
    """Return the path of a source's result: in the output's folder, or with the tool's name behind its own."""
    suffix = f".{form.format}" if form.format else source.suffix.lower()
    name = f"{source.stem}{suffix if suffix in FORMATS else _FALLBACK_SUFFIX}"
    if root is None:
        named = Path(name)
        return form.path / name if form.path else Path(f"{named.stem}-{form.tool}{named.suffix}")
    return _folder(root, form) / source.relative_to(root).with_name(name)


def _folder(root: Path, form: OutputForm) -> Path:
    """Return the folder of the results of a folder."""
    return form.path or Path(f"{real_path(root).name}-{form.tool}")


def _bits(path: Path, source: Path, form: OutputForm) -> int | None:
    offered = FORMATS[path.suffix.lower()].bits
    wanted = form.bits or source_bits(source)
    if form.bits:
        format_for(path, form.bits)
    return wanted if wanted in offered else next(iter(offered), None)


def _written(
    task: FileTask, hit: FileHit, results: Sequence[ToolResult], form: OutputForm
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    written, notes = [], []
    sounds, down_db = _not_clipping([result.audio for result in results], _bits(task.target, task.source, form))
    for number, (result, audio) in enumerate(zip(results, sounds, strict=True), 1):
        label = f"-{result.label or number}" if len(results) > 1 else ""
        path = task.target.with_name(f"{task.target.stem}{label}{task.target.suffix}")
        at, own = write_result(path, audio, result.rate or hit.rate, task.source, form)
        written.append(at)
        notes += [*([result.note] if result.note else ()), *own]
    if down_db:
        notes.append(f"all {len(results)} are turned down by {down_db:.1f} dB, or one would clip")
    return tuple(written), tuple(notes)


def _not_clipping(sounds: Sequence[Audio], bits: int | None) -> tuple[Sequence[Audio], float]:
    """Return several sounds turned down as one, so that none clips and their levels stay as they are to each other.

    With it comes by how many dB, 0 where nothing clips. A single sound is left to `write_result`.
    """
    peak = max((float(np.abs(sound).max(initial=0.0)) for sound in sounds), default=0.0)
    if len(sounds) < 2 or peak <= 1 or bits == _FLOAT_BITS:
        return sounds, 0.0
    down_db = 20 * np.log10(peak)
    return [sound / np.float32(peak) for sound in sounds], float(down_db) if down_db >= LEAST_SAID_DB else 0.0


def _problem(source: Path, error: Exception) -> str:
    if isinstance(error, InputError):
        said = str(error)
        return said if said.startswith(str(source)) else f"{source}: {said}"
    return failure(source, error)

"""Batch humanization: many files, resumable, the same bytes with any number of processes or machines."""

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.batch.full_band import HitVariatorSpec
from ghostnote.bridge.batch.journal import BatchLog, settings_key
from ghostnote.bridge.batch.settings import BatchSettings, check_settings
from ghostnote.bridge.batch.sources import SourceFile
from ghostnote.bridge.batch.worker import FileResult, FileTask, Humanizer
from ghostnote.bridge.dsp.loudness import LEAST_SAID_DB
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.render.workers import Opener, ordered_map

Progress = Callable[[int, int], None]
"""Called with the sources done and all sources."""
Pool = Callable[[Opener[FileTask, FileResult], Iterable[FileTask]], Generator[FileResult]]
"""Works on tasks and yields their results in order; closing it ends the work."""


@dataclass(frozen=True)
class BatchReport:
    """What a batch made."""

    manifest: Path
    """The list of the files; it is not there where none was made."""
    sources: int
    """Sources that were humanized, in this run or before."""
    reused: int
    """How many of these an interrupted run had finished."""
    files: int
    """Files made in this run."""
    problems: tuple[str, ...]
    """Why sources failed, a sentence each."""
    left_out: tuple[str, ...]
    """Why sources are not hits and were left out, a sentence each."""
    notes: tuple[str, ...]
    """What the user should know, a sentence each."""
    seconds: float

    @property
    def files_per_second(self) -> float:
        """Files made per second."""
        return self.files / max(self.seconds, 1e-9)


def local_pool(jobs: int) -> Pool:
    """Return a pool of `jobs` processes on this machine."""
    return lambda opener, tasks: ordered_map(opener, tasks, jobs)


def humanize_files(
    sources: Sequence[SourceFile],
    folder: Path,
    settings: BatchSettings,
    spec: HitVariatorSpec,
    pool: Pool,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> BatchReport:
    """Humanize sources into `folder`, with a manifest.

    A file that cannot be used is named in the report, and the others go on. After an interruption the same call
    with `resume` goes on and ends with the bytes of an unbroken run. `InputError` for settings that fit no file,
    or a folder with another run in it; `OutputError` where files cannot be written.
    """
    check_settings(settings)
    began = time.monotonic()
    problems: dict[str, str] = {}
    left_out: dict[str, str] = {}
    notes: list[str] = []
    reused = files = 0
    gains_db: dict[str, float] = {}
    with BatchLog(folder, settings_key(settings, spec.open().name), resume=resume) as log:
        tasks = (FileTask(source, folder, log.rows_of(source.place)) for source in sources)
        with closing(pool(Humanizer(spec, settings), tasks)) as results:
            for number, result in enumerate(results, 1):
                if result.problem:
                    (left_out if result.by_design else problems)[result.place] = result.problem
                elif result.reused:
                    reused += 1
                else:
                    log.add(result.place, result.rows)
                    files += len(result.rows)
                    gains_db[result.place] = min(float(row["gain_db"]) for row in result.rows)
                notes += result.notes
                if progress:
                    progress(number, len(sources))
        unused = problems | left_out
        manifest = log.finish([source.place for source in sources], unused)
    notes += _turned_down(gains_db)
    seconds = time.monotonic() - began
    reasons = (tuple(problems.values()), tuple(left_out.values()), tuple(notes))
    return BatchReport(manifest, len(sources) - len(unused), reused, files, *reasons, seconds)


def _turned_down(gains_db: Mapping[str, float]) -> list[str]:
    """Return what to say of sources whose strokes are softer than they would be, or one would clip."""
    softer = {place: gain_db for place, gain_db in gains_db.items() if gain_db <= -LEAST_SAID_DB}
    if not softer:
        return []
    place, gain_db = min(softer.items(), key=lambda item: item[1])
    most = f"the strokes of {place} by {-gain_db:.1f} dB"
    others = f", and those of {counted(len(softer) - 1, 'other hit')} by less" if len(softer) > 1 else ""
    return [
        f"turned down, or one would clip: {most}{others}; the manifest has each 'gain_db', and --bits 32 clips none"
    ]

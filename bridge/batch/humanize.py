"""Batch humanization: many files, each worked on by itself, resumable, the same bytes on any machine pool."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.batch.full_band import VarierSpec
from ghostnote.bridge.batch.journal import BatchLog, settings_key
from ghostnote.bridge.batch.settings import BatchSettings, check_settings
from ghostnote.bridge.batch.sources import Source
from ghostnote.bridge.batch.worker import Humanizer, Outcome, Task
from ghostnote.bridge.render.workers import Opener, done

Progress = Callable[[int, int], None]
"""Called with the sources done and all sources."""
Pool = Callable[[Opener[Task, Outcome], Iterable[Task]], Generator[Outcome]]
"""Does tasks somewhere and yields their outcomes in order; closing it ends the work."""


@dataclass(frozen=True)
class BatchReport:
    """What a batch came to."""

    manifest: Path
    sources: int
    """Sources that were humanized, in this run or before."""
    reused: int
    """Of these, how many were there from a run that was broken off."""
    files: int
    """Files made in this run."""
    problems: tuple[str, ...]
    """For each source without a result the reason."""
    notes: tuple[str, ...]
    """What else there is to tell, one sentence each."""
    seconds: float

    @property
    def files_per_second(self) -> float:
        """How many variations a second were made."""
        return self.files / max(self.seconds, 1e-9)


def local_pool(jobs: int) -> Pool:
    """Return what works with `jobs` processes of this machine."""
    return lambda opener, tasks: done(opener, tasks, jobs)


def humanize_files(
    sources: Sequence[Source],
    folder: Path,
    settings: BatchSettings,
    spec: VarierSpec,
    pool: Pool,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> BatchReport:
    """Humanize sources into `folder`, with a manifest.

    A file that cannot be used is named in the report and stops nothing. After a kill the same call with
    `resume` goes on where it was, and ends with the bytes of an unbroken run. `InputError` for settings
    that fit no file, or a folder with another run in it; `OutputError` where files cannot be written.
    """
    check_settings(settings)
    began = time.monotonic()
    problems: dict[str, str] = {}
    notes: list[str] = []
    reused = made = 0
    name = spec.open().name
    with BatchLog(folder, settings_key(settings, name), resume=resume) as log:
        outcomes = pool(Humanizer(spec, settings), _tasks(sources, folder, log))
        with closing(outcomes):
            for number, outcome in enumerate(outcomes, 1):
                if outcome.problem:
                    problems[outcome.place] = outcome.problem
                elif outcome.reused:
                    reused += 1
                else:
                    log.add(outcome.place, outcome.rows)
                    made += len(outcome.rows)
                notes += outcome.notes
                if progress:
                    progress(number, len(sources))
        manifest = log.finish(source.place for source in sources if source.place not in problems)
    return BatchReport(
        manifest=manifest,
        sources=len(sources) - len(problems),
        reused=reused,
        files=made,
        problems=tuple(problems.values()),
        notes=tuple(notes),
        seconds=time.monotonic() - began,
    )


def _tasks(sources: Iterable[Source], folder: Path, log: BatchLog) -> Iterator[Task]:
    for source in sources:
        yield Task(source, folder, log.rows_of(source.place))

"""The record of a batch: a journal while it runs, for resuming, and then the manifest."""

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ghostnote.bridge.batch.settings import BatchSettings
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.atomic_file import output_errors, replacing
from ghostnote.bridge.io.partial_files import PARTIAL_PATTERN, only_process

MANIFEST: Final = "manifest.csv"
JOURNAL: Final = ".ghostnote-journal"
LOCK: Final = ".ghostnote-lock"
COLUMNS: Final = (
    "path", "source", "source_sha256", "class", "class_from", "class_probability", "layer", "low_velocity",
    "high_velocity", "round_robin", "seed", "index", "amount", "width", "steps", "rate", "channels", "bits",
    "frames", "gain_db", "sha256", "model", "settings",
)  # fmt: skip
"""The manifest's columns; each file is a row."""

Row = dict[str, str]


def settings_key(settings: BatchSettings, model: str) -> str:
    """Return a short hash of everything, beside the source, that decides the files."""
    text = json.dumps([asdict(settings), model], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class BatchLog:
    """Records which sources are finished. A context manager; a second run into a folder must be `resume`d.

    Only the place of each source's rows in the journal is held in memory.
    """

    def __init__(self, folder: Path, key: str, *, resume: bool) -> None:
        """Choose the folder."""
        self._folder, self._key, self._resume = folder, key, resume
        self._journal, self._manifest = folder / JOURNAL, folder / MANIFEST
        self._at: dict[str, int] = {}
        self._is_new = False

    def __enter__(self) -> Self:
        """Open the journal and remove what an interrupted run left half written.

        `InputError` if another process works in the folder, or it holds another run, or one under other settings.
        """
        with output_errors(self._folder):
            self._is_new = not self._folder.exists()
            self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            with output_errors(self._folder):
                stack.enter_context(only_process(self._folder / LOCK))
            if not self._resume and (self._journal.exists() or self._manifest.exists()):
                raise InputError(
                    f"{self._folder}: holds an earlier run; add --resume to go on with it, or choose another folder"
                )
            with output_errors(self._folder):
                self._remove_partial_files()
                if self._manifest.exists() and not self._journal.exists():
                    self._begin_from_manifest()
                self._file = stack.enter_context(self._journal.open("a+b"))
            self._index()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the journal, which stays, for `finish` removes it; workers that were killed left partial files."""
        with suppress(OSError):
            self._remove_partial_files()
        self._stack.close()
        if self._is_new:
            # Where nothing was made, nothing is in it.
            with suppress(OSError):
                self._folder.rmdir()

    def rows_of(self, source: str) -> tuple[Row, ...]:
        """Return the rows of a finished source, or none."""
        at = self._at.get(source)
        if at is None:
            return ()
        self._file.seek(at)
        return tuple(json.loads(self._file.readline())["rows"])

    def add(self, source: str, rows: Iterable[Row]) -> None:
        """Record a finished source; the record outlives a process killed right after."""
        line = json.dumps({"source": source, "rows": [{**row, "settings": self._key} for row in rows]})
        with output_errors(self._journal):
            at = self._file.seek(0, io.SEEK_END)
            self._file.write(line.encode() + b"\n")
            self._file.flush()
        self._at[source] = at

    def finish(self, sources: Sequence[str], unused: Container[str] = ()) -> Path:
        """Write the manifest, in the order of the sources but the `unused`, and remove the journal.

        Then follow the rows of earlier runs' other sources, as long as their files are there.
        Before that all files are flushed to the disk: without a journal nothing finds what a power cut took.
        Where nothing was ever made there is no manifest.
        """
        if not self._at and not self._manifest.exists():
            self._file.close()
            self._journal.unlink(missing_ok=True)
            return self._manifest
        if hasattr(os, "sync"):
            os.sync()
        with replacing(self._manifest) as file, output_errors(self._manifest):
            text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
            writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
            writer.writeheader()
            now = set(sources)
            for source in (*sources, *(earlier for earlier in self._at if earlier not in now)):
                rows = () if source in unused else self.rows_of(source)
                if source in now or all((self._folder / row["path"]).is_file() for row in rows):
                    writer.writerows(rows)
            text.detach()
        self._file.close()
        with output_errors(self._folder):
            # A lost worker may have left partial files, too.
            self._remove_partial_files()
            self._journal.unlink(missing_ok=True)
        return self._manifest

    def _remove_partial_files(self) -> None:
        for path in self._folder.rglob(PARTIAL_PATTERN):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _index(self) -> None:
        """Find each source's line; an incomplete last line is cut away."""
        self._file.seek(0)
        at = 0
        for line in self._file:
            entry = None
            with suppress(ValueError):
                entry = json.loads(line) if line.endswith(b"\n") else None
            if entry is None:
                break
            if any(row["settings"] != self._key for row in entry["rows"]):
                raise InputError(
                    f"{self._folder}: holds a run with other settings or another model; resume with the same, "
                    "or choose another folder"
                )
            self._at[entry["source"]] = at
            at += len(line)
        with output_errors(self._journal):
            self._file.truncate(at)

    def _begin_from_manifest(self) -> None:
        """Make a journal of a finished run's manifest."""
        with replacing(self._journal) as journal:
            for source, rows in manifest_rows(self._manifest):
                journal.write(json.dumps({"source": source, "rows": rows}).encode() + b"\n")


def manifest_rows(path: Path) -> Iterator[tuple[str, list[Row]]]:
    """Yield each source of a manifest with its rows; `InputError` for any other file."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InputError(f"{path}: is not a manifest of 'ghostnote humanize'; choose another folder")
        rows: list[Row] = []
        for row in reader:
            if rows and rows[0]["source"] != row["source"]:
                yield rows[0]["source"], rows
                rows = []
            rows.append(row)
        if rows:
            yield rows[0]["source"], rows

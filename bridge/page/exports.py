"""The kit for other samplers: every pad's strokes in velocity layers and round robins, as one zip."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.page.answers import number
from ghostnote.bridge.page.apart import Report, apart
from ghostnote.bridge.page.bounce import pack
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.strokes import StrokeMaker
from ghostnote.bridge.sampler.build import KitShape, kit_from_pads
from ghostnote.bridge.sampler.write import FORMATS, export_kits, parse_formats, safe_name

RATE: Final = 44_100
MOST_LAYERS: Final = 16
"""Velocity layers, and round robins, of an export here; the command line makes more."""

_MOST_TEXT: Final = 200
_STEPS: Final = 100


@dataclass(frozen=True)
class ExportWish:
    """What a page asks for."""

    formats: str
    """Names of `FORMATS`, with commas."""
    shape: KitShape


def read_wish(given: Mapping[str, Any]) -> ExportWish:
    """Return what the table of a page asks for; `InputError`."""
    formats = ",".join(form.name for form in parse_formats(str(given.get("formats", ""))))
    if not formats:
        raise InputError(f"no format is chosen: choose among {', '.join(FORMATS)}")
    layers, turns = (number(dict(given), name, 1, MOST_LAYERS, 4) for name in ("velocities", "count"))
    author, licence = (str(given.get(name, ""))[:_MOST_TEXT].strip() for name in ("author", "licence"))
    return ExportWish(formats, KitShape(turns, layers, author, licence))


class Exports:
    """Exports kits, one at a time, and keeps the last zip. A context manager: in the end it is removed."""

    def __init__(self, hub: Hub, strokes: StrokeMaker) -> None:
        """Export what `strokes` makes, and tell how far it is."""
        self._hub, self._strokes = hub, strokes
        self.folder = Path(tempfile.mkdtemp(prefix="ghostnote-export-"))
        """Where the last zip lies, and what is under way."""
        self._task: asyncio.Task[tuple[str, ...]] | None = None
        self.file: Path | None = None
        """The last zip."""
        self._tell("", 0, 0)

    def __enter__(self) -> "Exports":
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was exported."""
        shutil.rmtree(self.folder, ignore_errors=True)

    async def export(self, kit: Kit, wish: ExportWish) -> tuple[str, ...]:
        """Make the zip of a kit, and return what the formats could not hold; `GhostnoteError`."""
        if self._task:
            raise InputError("a kit is being exported already: wait for it, or stop it")
        self._task = asyncio.create_task(self._made(kit, wish))
        try:
            return await self._task
        except asyncio.CancelledError as error:
            raise InputError("the export was stopped") from error
        finally:
            self._task = None
            self._tell("", 0, 0)

    async def stop(self) -> None:
        """Export no more."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._task

    async def _made(self, kit: Kit, wish: ExportWish) -> tuple[str, ...]:
        total = len(kit.pads) * wish.shape.count * wish.shape.velocities
        self._tell(kit.name, 0, total)
        target = self.folder / f"{safe_name(kit.name)}.zip"
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            tell = partial(self._tell, kit.name)
            notes: tuple[str, ...] = await apart(_export, kit, self._strokes, wish, Path(folder), tell=tell)
            if self.file:
                self.file.unlink(missing_ok=True)
            self.file = (Path(folder) / "kit.zip").rename(target)
        return notes

    def _tell(self, kit: str, done: int, of: int) -> None:
        self._hub.tell({"type": "export", "kit": kit, "done": done, "of": of})


def _export(report: Report, kit: Kit, strokes: StrokeMaker, wish: ExportWish, folder: Path) -> tuple[str, ...]:
    """Write `kit.zip` into the folder."""
    tempfile.tempdir = str(folder)
    shape = replace(wish.shape, credits=strokes.credits())
    with kit_from_pads(kit, strokes.spec(RATE), RATE, shape, 1, _sparing(report)) as made:
        _, notes = export_kits([made], parse_formats(wish.formats), folder / "kits")
    if kit.all_effects:
        notes.append("effects are not part of the samples: add them in the sampler")
    pack(folder / "kits", folder / "kit.zip")
    return tuple(note.replace(f"{folder}/", "") for note in notes)


def _sparing(report: Report) -> Callable[[int, int], None]:
    """Return a report that passes on a hundred of all."""
    last = 0

    def sparing(done: int, of: int) -> None:
        nonlocal last
        if done * _STEPS // of > last:
            last = done * _STEPS // of
            report(done, of)

    return sparing

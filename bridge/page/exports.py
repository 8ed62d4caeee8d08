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
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.page.answers import number
from ghostnote.bridge.page.apart import Report, apart, work_folder
from ghostnote.bridge.page.bounce import pack
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.strokes import StrokeMaker
from ghostnote.bridge.sampler.build import KitShape
from ghostnote.bridge.sampler.export_pads import Strokes, export_pads
from ghostnote.bridge.sampler.write import FORMATS, parse_formats, safe_name

RATE: Final = 44_100
MOST_LAYERS: Final = 16
"""Velocity layers, and round robins, of an export here; the command line makes more."""
LAYERS: Final = 4
"""The same where a page does not say it."""
MOST_SAMPLES: Final = 8192
"""Of all formats together. A stereo one of two seconds has half a megabyte, and lies there twice, once in the zip."""

_MOST_TEXT: Final = 200
_STEPS: Final = 100


@dataclass(frozen=True)
class ExportWish:
    """What a page asks for."""

    formats: str
    """Names of `FORMATS`, with commas."""
    shape: KitShape

    def check_size(self, kit: Kit) -> None:
        """Raise `InputError` where the kit has too many pads for all of that."""
        shape, formats = self.shape, self.formats.count(",") + 1
        samples = len(kit.pads) * shape.velocities * shape.count * formats
        if samples > MOST_SAMPLES:
            raise InputError(
                f"{counted(len(kit.pads), 'pad')} in {counted(shape.velocities, 'velocity layer')} with "
                f"{counted(shape.count, 'round robin')} and {counted(formats, 'format')} are {samples} samples, but "
                f"the page exports at most {MOST_SAMPLES}: choose fewer, or save the kit and use 'ghostnote kit export'"
            )


def read_wish(given: Mapping[str, Any]) -> ExportWish:
    """Return what the table of a page asks for; `InputError`."""
    formats = ",".join(form.name for form in parse_formats(str(given.get("formats", ""))))
    if not formats:
        raise InputError(f"no format is chosen: choose among {', '.join(FORMATS)}")
    layers, turns = (number(given, name, 1, MOST_LAYERS, LAYERS) for name in ("velocities", "count"))
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
        wish.check_size(kit)
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
        async with work_folder(self.folder) as folder:
            tell = partial(self._tell, kit.name)
            notes: tuple[str, ...] = await apart(_export, kit, self._strokes, wish, folder, tell=tell)
            if self.file:
                self.file.unlink(missing_ok=True)
            self.file = (folder / "kit.zip").rename(target)
        return notes

    def _tell(self, kit: str, done: int, of: int) -> None:
        self._hub.tell({"type": "export", "kit": kit, "done": done, "of": of})


def _export(report: Report, kit: Kit, strokes: StrokeMaker, wish: ExportWish, folder: Path) -> tuple[str, ...]:
    """Write `kit.zip` into the folder."""
    tempfile.tempdir = str(folder)
    shape = replace(wish.shape, credits=strokes.credits())
    made = Strokes(strokes.spec(RATE), RATE, made=_sparing(report))
    _, notes = export_pads(kit, made, shape, parse_formats(wish.formats), folder / "kits")
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

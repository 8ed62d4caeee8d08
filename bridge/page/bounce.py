"""Renders the grid's pattern to a mix and stems."""

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.page.apart import Report, apart, work_folder
from ghostnote.bridge.page.strokes import StrokeMaker
from ghostnote.bridge.render.offline import RenderSettings, render_song

RATE: Final = 48_000


class Bounces:
    """Renders songs, one at a time."""

    def __init__(self, strokes: StrokeMaker) -> None:
        """Play what `strokes` makes."""
        self._strokes = strokes
        self._busy = asyncio.Lock()

    async def bounce(self, song: MidiSong, kit: Kit) -> bytes:
        """Return a zip of mix and stems; `GhostnoteError` as of `render_song`."""
        if not song.events:
            raise InputError("the pattern is empty: set some steps first")
        async with self._busy, work_folder() as folder:
            await apart(_render, song, kit, self._strokes, folder)
            return await asyncio.to_thread(_zipped, folder)


def _render(report: Report, song: MidiSong, kit: Kit, strokes: StrokeMaker, folder: Path) -> None:
    settings = RenderSettings(stems=folder / "stems", jobs=1)
    render_song(song, kit, strokes.spec(RATE), folder / "mix.wav", settings)


def _zipped(folder: Path) -> bytes:
    data = io.BytesIO()
    pack(folder, data)
    return data.getvalue()


def pack(folder: Path, target: "io.BytesIO | Path") -> None:
    """Write all files of a folder as a zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                archive.write(file, file.relative_to(folder).as_posix())

"""Renders the grid's pattern to a mix and stems, in a process of its own."""

import asyncio
import io
import multiprocessing
import multiprocessing.connection
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.inference.drum_cache import CachedSpec
from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.page.studio import give_way
from ghostnote.bridge.render.offline import RenderSettings, render_song
from ghostnote.bridge.render.workers import interrupts_held, leave_with_parent, main_left_out

RATE: Final = 48_000


class Bounces:
    """Renders songs, one at a time."""

    def __init__(self, model: Path | None) -> None:
        """Use a model file, or the one in the package."""
        self._model = model
        self._busy = asyncio.Lock()

    async def bounce(self, song: MidiSong, kit: Kit) -> bytes:
        """Return a zip of mix and stems; `GhostnoteError` as of `render_song`."""
        if not song.events:
            raise InputError("the pattern is empty: set some steps first")
        async with self._busy:
            with tempfile.TemporaryDirectory(prefix="ghostnote-") as folder:
                await asyncio.to_thread(_rendered, song, kit, self._model, Path(folder))
                return await asyncio.to_thread(_zipped, Path(folder))


def _rendered(song: MidiSong, kit: Kit, model: Path | None, folder: Path) -> None:
    """Render in another process, so that this one still answers."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(False)
    process = context.Process(target=_render, args=(theirs, song, kit, model, folder), name="bounce")
    with interrupts_held(), main_left_out():
        process.start()
    theirs.close()
    try:
        error = ours.recv()
    except EOFError:
        error = GhostnoteError("the process that renders ended: is there too little memory?")
    process.join()
    if error is not None:
        raise error


def _render(
    line: "multiprocessing.connection.Connection", song: MidiSong, kit: Kit, model: Path | None, folder: Path
) -> None:
    threading.Thread(target=leave_with_parent, daemon=True).start()
    give_way()
    try:
        settings = RenderSettings(stems=folder / "stems", jobs=1)
        render_song(song, kit, CachedSpec(SourceSpec(model, RATE)), folder / "mix.wav", settings)
    except Exception as error:  # raised where it was asked for
        line.send(error if isinstance(error, GhostnoteError) else GhostnoteError(repr(error)))
    else:
        line.send(None)


def _zipped(folder: Path) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                archive.write(file, file.relative_to(folder).as_posix())
    return data.getvalue()

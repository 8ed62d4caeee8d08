"""The addresses of kits: import, export, and the notes of drum modules and plugins."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.hit_files import distinct_name
from ghostnote.bridge.kit.fields import usable_text
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.kit.note_map import NOTE_MAPS, played, with_map
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.midi.note_names import note_name
from ghostnote.bridge.page.answers import table
from ghostnote.bridge.page.drops import Drops
from ghostnote.bridge.page.exports import LAYERS, MOST_LAYERS, Exports, read_wish
from ghostnote.bridge.page.hub import Hub
from ghostnote.bridge.page.line import DaemonLine
from ghostnote.bridge.page.placing import Placing
from ghostnote.bridge.sampler.write import FORMATS, safe_name

_OWN_MAP: Final = "gm"
"""The one that kits are made for."""


class KitAddresses:
    """What a page can do with kits."""

    def __init__(self, hub: Hub, line: DaemonLine, drops: Drops, placing: Placing, exports: Exports) -> None:
        """Act on these."""
        self._line, self._drops, self._placing, self._exports = line, drops, placing, exports
        maps = [name for name in NOTE_MAPS if name != _OWN_MAP]
        sounds = [(note, note_name(note)) for note in range(128) if note_name(note)]
        layers = {"layers": LAYERS, "most_layers": MOST_LAYERS}
        hub.tell({"type": "kit_choices", "formats": list(FORMATS), "maps": maps, "sounds": sounds, **layers})

    def routes(self) -> list[BaseRoute]:
        """Return the addresses."""
        return [
            Route("/drops/{drop}/kit", self._drop_as_kit, methods=["POST"]),
            Route("/kit/notes/{map}", self._with_notes, methods=["POST"]),
            Route("/export", self._export, methods=["POST"]),
            Route("/export", self._stop, methods=["DELETE"]),
            Route("/export.zip", self._exported),
        ]

    async def _drop_as_kit(self, request: Request) -> Response:
        """Make what was dropped a kit, and play it."""
        name, report = await asyncio.to_thread(self._drops.to_kit, request.path_params["drop"], self._placing.kits())
        self._placing.play_kit(name)
        return JSONResponse({"name": name, "report": report})

    async def _with_notes(self, request: Request) -> Response:
        """Save the kit with the notes that a drum module or a plugin sends, and play it."""
        name = request.path_params["map"]
        if name not in NOTE_MAPS:
            raise InputError(f"{name[:40]!r} is not a note map: choose {', '.join(NOTE_MAPS)}")
        kits, kit = self._placing.kits(), await self._line.kit()
        path, silent = await asyncio.to_thread(_saved_with_notes, kit, name, kits)
        self._placing.play_kit(path.name)
        report = [f"no note plays {', '.join(silent)}: left out"] if silent else []
        return JSONResponse({"name": path.name, "report": report})

    async def _export(self, request: Request) -> Response:
        wish = read_wish(await table(request))
        notes = await self._exports.export(await self._line.kit(), wish)
        return JSONResponse({"notes": notes})

    async def _stop(self, _: Request) -> Response:
        await self._exports.stop()
        return JSONResponse({})

    async def _exported(self, _: Request) -> Response:
        file = self._exports.file
        if file is None or not file.exists():
            raise HTTPException(404)
        return FileResponse(file, media_type="application/zip", filename=file.name)


def _saved_with_notes(kit: Kit, name: str, kits: Path) -> tuple[Path, list[str]]:
    """Write a kit with the notes of a map under a free name; return its path, and the pads that no note plays."""
    mapped = with_map(kit, NOTE_MAPS[name])
    taken = {path.stem.casefold() for path in kits.glob("*.toml")}
    path = kits / f"{distinct_name(safe_name(f'{kit.name} {name}'), taken)}.toml"
    save_kit(replace(played(mapped, name), name=usable_text(path.stem), path=None), path)
    return path, [pad.name for pad in mapped.pads if not pad.notes]

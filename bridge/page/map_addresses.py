"""The addresses of the map of drums."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ghostnote.bridge.page.answers import wav
from ghostnote.bridge.page.drops import Drops
from ghostnote.bridge.page.exploring import Exploring
from ghostnote.bridge.page.placing import Placing


class MapAddresses:
    """What a page can do with the drums of the map."""

    def __init__(self, exploring: Exploring, drops: Drops, placing: Placing) -> None:
        """Act on these."""
        self._exploring, self._drops, self._placing = exploring, drops, placing

    def routes(self) -> list[BaseRoute]:
        """Return the addresses."""
        return [
            Route("/drops/{drop}/map", self._drop_on_map, methods=["POST"]),
            Route("/map/{number}.wav", self._drum),
            Route("/map/{number}/pad/{slug}", self._drum_on_pad, methods=["POST"]),
        ]

    async def _drop_on_map(self, request: Request) -> Response:
        """Put the sounds that were dropped on the map."""
        drop = request.path_params["drop"]
        count = await asyncio.to_thread(self._exploring.add_files, self._drops.folder(drop))
        await asyncio.to_thread(self._drops.forget, drop)
        self._exploring.tell()
        return JSONResponse({"count": count})

    async def _drum(self, request: Request) -> Response:
        return await wav(self._exploring.drum(request.path_params["number"]))

    async def _drum_on_pad(self, request: Request) -> Response:
        """Let a pad start from a drum of the map."""
        drum = self._exploring.drum(request.path_params["number"])
        path, drum_class = await self._placing.sound_on_pad(drum, request.path_params["slug"])
        return JSONResponse({"path": path, "class": drum_class})

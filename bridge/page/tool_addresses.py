"""The addresses of the sound tools."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ghostnote.bridge.page.answers import table, wav
from ghostnote.bridge.page.bench import Bench, first_sound
from ghostnote.bridge.page.drops import Drops
from ghostnote.bridge.page.exploring import Exploring
from ghostnote.bridge.page.pad_drums import PadDrums
from ghostnote.bridge.page.placing import Placing


class ToolAddresses:
    """What a page can do with the sounds that tools work on."""

    def __init__(self, bench: Bench, exploring: Exploring, drops: Drops, placing: Placing, pad_drums: PadDrums) -> None:
        """Act on these."""
        self._bench, self._exploring, self._drops, self._placing = bench, exploring, drops, placing
        self._pad_drums = pad_drums

    def routes(self) -> list[BaseRoute]:
        """Return the addresses."""
        return [
            Route("/drops/{drop}/bench/{side}", self._drop_on_bench, methods=["POST"]),
            Route("/map/{number}/bench/{side}", self._drum_on_bench, methods=["POST"]),
            Route("/pad/{slug}/bench/{side}", self._pad_on_bench, methods=["POST"]),
            Route("/bench/{place}.wav", self._sound),
            Route("/bench/{place}/pad/{slug}", self._sound_on_pad, methods=["POST"]),
            Route("/bench/kit", self._kit, methods=["POST"]),
            Route("/bench/{tool}", self._work, methods=["POST"]),
        ]

    async def _drop_on_bench(self, request: Request) -> Response:
        """Let the tools work on a sound that was dropped."""
        drop = request.path_params["drop"]
        sound = await asyncio.to_thread(first_sound, self._drops.folder(drop))
        await asyncio.to_thread(self._drops.forget, drop)
        self._bench.take(sound, request.path_params["side"])
        return JSONResponse({})

    async def _drum_on_bench(self, request: Request) -> Response:
        """Let the tools work on a drum of the map."""
        self._bench.take(self._exploring.drum(request.path_params["number"]), request.path_params["side"])
        return JSONResponse({})

    async def _pad_on_bench(self, request: Request) -> Response:
        """Let the tools work on the drum of a pad."""
        slug = request.path_params["slug"]
        self._bench.take(await self._pad_drums.sound(slug), request.path_params["side"], slug)
        return JSONResponse({})

    async def _sound(self, request: Request) -> Response:
        return await wav(self._bench.sound(request.path_params["place"]))

    async def _sound_on_pad(self, request: Request) -> Response:
        """Let a pad start from a sound that tools work on, or made."""
        sound = self._bench.sound(request.path_params["place"])
        path, drum_class = await self._placing.sound_on_pad(sound, request.path_params["slug"])
        return JSONResponse({"path": path, "class": drum_class})

    async def _kit(self, _: Request) -> Response:
        """Make a kit of the strokes of a loop, and play it."""
        name, report = await self._bench.write_kit(self._placing.kits())
        self._placing.play_kit(name)
        return JSONResponse({"name": name, "report": report})

    async def _work(self, request: Request) -> Response:
        """Let a tool work, with the numbers and the class in the body."""
        await self._bench.work(request.path_params["tool"], await table(request))
        return JSONResponse({})

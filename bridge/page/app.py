"""The page's addresses: its files, the WebSocket of its state, and what is dropped or downloaded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.kinds import kinds_of
from ghostnote.bridge.page.answers import explained, named
from ghostnote.bridge.page.bench import Bench
from ghostnote.bridge.page.bounce import Bounces
from ghostnote.bridge.page.commands import Commands
from ghostnote.bridge.page.drops import Drops
from ghostnote.bridge.page.exploring import Exploring
from ghostnote.bridge.page.exports import Exports
from ghostnote.bridge.page.hub import Browser, Hub
from ghostnote.bridge.page.kit_addresses import KitAddresses
from ghostnote.bridge.page.line import DaemonLine
from ghostnote.bridge.page.map_addresses import MapAddresses
from ghostnote.bridge.page.own_files import OwnFiles
from ghostnote.bridge.page.pad_drums import PadDrums
from ghostnote.bridge.page.pattern import midi_bytes
from ghostnote.bridge.page.placing import Placing
from ghostnote.bridge.page.player import GridPlayer
from ghostnote.bridge.page.strokes import StrokeMaker
from ghostnote.bridge.page.studio import MakerSpec, Studio
from ghostnote.bridge.page.tool_addresses import ToolAddresses

MOST_BROWSERS: Final = 16
MOST_BARS: Final = 64


class Page:
    """One page's parts, and its addresses."""

    def __init__(self, osc_host: str, osc_port: int, maker: MakerSpec, strokes: StrokeMaker) -> None:
        """Show the daemon whose OSC listens there; others make new drums, and the strokes of renders and exports."""
        self.hub = Hub()
        self.line = DaemonLine(self.hub, osc_host, osc_port)
        self.player = GridPlayer(self.hub, self.line)
        self.drops, studio = Drops(), Studio(maker)
        self.exploring, self.bench = Exploring(self.hub, studio), Bench(self.hub, studio)
        self.commands = Commands(self.hub, self.line, self.player, self.exploring)
        self.placing = Placing(self.hub, self.line, self.drops)
        self.bounces, self.exports = Bounces(strokes), Exports(self.hub, strokes)
        self._parts = (
            MapAddresses(self.exploring, self.drops, self.placing),
            ToolAddresses(self.bench, self.exploring, self.drops, self.placing, PadDrums(self.hub, self.line, studio)),
            KitAddresses(self.hub, self.line, self.drops, self.placing, self.exports),
        )
        self.hub.tell({"type": "drums", "kinds": {name: kinds_of(name) for name in CLASS_NAMES}})

    def app(self) -> Starlette:
        """Return the application, without its guard."""
        files = OwnFiles()
        routes = [
            Route("/", files.index),
            WebSocketRoute("/state", self._state),
            Route("/drops", self._begin_drop, methods=["POST"]),
            Route("/drops/{drop}/file", self._add_file, methods=["PUT"]),
            Route("/drops/{drop}/pad/{slug}", self._drop_on_pad, methods=["POST"]),
            *(route for part in self._parts for route in part.routes()),
            Route("/pattern.mid", self._midi),
            Route("/pattern.zip", self._render, methods=["POST"]),
            Route("/static/{name}", files.file),
        ]
        errors = {GhostnoteError: explained}
        return Starlette(routes=routes, lifespan=self._living, exception_handlers=errors)  # type: ignore[arg-type]

    @asynccontextmanager
    async def _living(self, _: Starlette) -> AsyncIterator[None]:
        with self.drops, self.exports:
            task = asyncio.create_task(self.line.run())
            try:
                yield
            finally:
                self.player.play(False)
                self.exploring.close()
                await self.exports.stop()
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _state(self, socket: WebSocket) -> None:
        """Tell a browser what happens, and do what it asks for."""
        if len(self.hub.browsers) >= MOST_BROWSERS:
            await socket.close(1013, "too many pages are open")
            return
        await socket.accept()
        browser = Browser()
        self.hub.join(browser)
        sending = asyncio.create_task(_sent(socket, browser))
        try:
            while not browser.is_lost:
                self.commands.do(browser, await socket.receive_text())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            pass
        finally:
            sending.cancel()
            self.hub.leave(browser)
            self.line.tend()

    async def _begin_drop(self, _: Request) -> Response:
        return JSONResponse({"drop": self.drops.begin()})

    async def _add_file(self, request: Request) -> Response:
        await self.drops.add(request.path_params["drop"], request.query_params.get("path", ""), request.stream())
        return JSONResponse({})

    async def _drop_on_pad(self, request: Request) -> Response:
        """Let a pad start from what was dropped, with the class that it has."""
        path, drum_class = await self.placing.drop_on_pad(request.path_params["drop"], request.path_params["slug"])
        return JSONResponse({"path": path, "class": drum_class})

    async def _midi(self, request: Request) -> Response:
        song = self.player.song(_bars(request))
        data = midi_bytes(song, self.player.pattern.tempo)
        return Response(data, media_type="audio/midi", headers=named("ghostnote.mid"))

    async def _render(self, request: Request) -> Response:
        song = self.player.song(_bars(request))
        kit = await self.line.kit()
        data = await self.bounces.bounce(song, kit)
        return Response(data, media_type="application/zip", headers=named("ghostnote.zip"))


async def _sent(socket: WebSocket, browser: Browser) -> None:
    """Send what waits for a browser, for as long as it takes it."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while not browser.is_lost:
            message = await browser.queue.get()
            await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))
        await socket.close(1013, "the page took nothing for too long")


def _bars(request: Request) -> int:
    """Return how many bars are asked for; `InputError`."""
    text = request.query_params.get("bars", "4")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_BARS:
        raise InputError(f"bars = {text[:20]!r}, but it must be a number from 1 to {MOST_BARS}")
    return int(text)

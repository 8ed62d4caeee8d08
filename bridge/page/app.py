"""The page's addresses: its files, the WebSocket of its state, and what is dropped or downloaded."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kinds import kinds_of
from ghostnote.bridge.page.bench import Bench
from ghostnote.bridge.page.bounce import Bounces
from ghostnote.bridge.page.commands import Commands
from ghostnote.bridge.page.drops import Drops
from ghostnote.bridge.page.drum_map import MapDrum, wav_bytes
from ghostnote.bridge.page.exploring import Exploring
from ghostnote.bridge.page.hub import Browser, Hub
from ghostnote.bridge.page.line import DaemonLine
from ghostnote.bridge.page.own_files import OwnFiles
from ghostnote.bridge.page.pattern import midi_bytes
from ghostnote.bridge.page.player import GridPlayer
from ghostnote.bridge.page.studio import MakerSpec, ModelSpec, Studio

MOST_BROWSERS: Final = 16
MOST_BARS: Final = 64
_MOST_BODY: Final = 4096


class Page:
    """One page's parts, and its addresses."""

    def __init__(self, osc_host: str, osc_port: int, model: Path | None = None, maker: MakerSpec | None = None) -> None:
        """Show the daemon whose OSC listens there; new drums are made by `maker`, or by the model."""
        self.hub = Hub()
        self.line = DaemonLine(self.hub, osc_host, osc_port)
        self.player = GridPlayer(self.hub, self.line)
        studio = Studio(maker or ModelSpec(model))
        self.exploring, self.bench = Exploring(self.hub, studio), Bench(self.hub, studio)
        self.commands = Commands(self.hub, self.line, self.player, self.exploring)
        self.drops = Drops()
        self.bounces = Bounces(model)
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
            Route("/drops/{drop}/kit", self._drop_as_kit, methods=["POST"]),
            Route("/drops/{drop}/map", self._drop_on_map, methods=["POST"]),
            Route("/drops/{drop}/bench", self._drop_on_bench, methods=["POST"]),
            Route("/map/{number}/bench", self._drum_on_bench, methods=["POST"]),
            Route("/bench/{side}.wav", self._bench_hit),
            Route("/bench/{side}/pad/{slug}", self._bench_on_pad, methods=["POST"]),
            Route("/bench/{tool}", self._work, methods=["POST"]),
            Route("/map/{number}.wav", self._drum),
            Route("/map/{number}/pad/{slug}", self._drum_on_pad, methods=["POST"]),
            Route("/pattern.mid", self._midi),
            Route("/pattern.zip", self._render, methods=["POST"]),
            Route("/static/{name}", files.file),
        ]
        errors = {GhostnoteError: _explained}
        return Starlette(routes=routes, lifespan=self._living, exception_handlers=errors)  # type: ignore[arg-type]

    @asynccontextmanager
    async def _living(self, _: Starlette) -> AsyncIterator[None]:
        with self.drops:
            task = asyncio.create_task(self.line.run())
            try:
                yield
            finally:
                self.player.play(False)
                self.exploring.close()
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
        return await self._on_pad(request.path_params["drop"], request.path_params["slug"])

    async def _drop_on_map(self, request: Request) -> Response:
        """Put the sounds that were dropped on the map."""
        drop = request.path_params["drop"]
        count = await asyncio.to_thread(self.exploring.add_files, self.drops.folder(drop))
        self.drops.forget(drop)
        self.exploring.tell()
        return JSONResponse({"count": count})

    async def _drum(self, request: Request) -> Response:
        """Return a drum of the map as a sound file."""
        return await _wav(self.exploring.drum(request.path_params["number"]))

    async def _drum_on_pad(self, request: Request) -> Response:
        """Let a pad start from a drum of the map."""
        return await self._hit_on_pad(self.exploring.drum(request.path_params["number"]), request.path_params["slug"])

    async def _hit_on_pad(self, hit: MapDrum, slug: str) -> Response:
        drop = self.drops.begin()
        await asyncio.to_thread(write_audio, self.drops.folder(drop) / f"{hit.name}.wav", hit.audio, hit.rate)
        return await self._on_pad(drop, slug, hit.drum_class)

    async def _drop_on_bench(self, request: Request) -> Response:
        """Let the tools work on a sound that was dropped."""
        drop = request.path_params["drop"]
        await asyncio.to_thread(self.bench.take_file, self.drops.folder(drop))
        self.drops.forget(drop)
        self.bench.tell()
        return JSONResponse({})

    async def _drum_on_bench(self, request: Request) -> Response:
        """Let the tools work on a drum of the map."""
        self.bench.take(self.exploring.drum(request.path_params["number"]))
        self.bench.tell()
        return JSONResponse({})

    async def _bench_hit(self, request: Request) -> Response:
        return await _wav(self.bench.hit(request.path_params["side"]))

    async def _bench_on_pad(self, request: Request) -> Response:
        return await self._hit_on_pad(self.bench.hit(request.path_params["side"]), request.path_params["slug"])

    async def _work(self, request: Request) -> Response:
        """Let a tool work, with the numbers and the class in the body."""
        try:
            given = json.loads(await _body(request))
        except ValueError as error:
            raise InputError("the body is not JSON") from error
        if not isinstance(given, dict):
            raise InputError("the body is not a table")
        await self.bench.work(request.path_params["tool"], given)
        return JSONResponse({})

    async def _on_pad(self, drop: str, slug: str, known_class: str = "") -> Response:
        kits = self._kits()
        pad = self.hub.pad(slug)
        if pad is None:
            raise InputError(f"there is no pad {slug!r}")
        if pad["lock"]:
            raise InputError(f"pad '{pad['name']}' is locked: its drum stays; unlock it first")
        path, guess = await asyncio.to_thread(self.drops.to_pad, drop, slug, kits)
        drum_class = known_class or guess
        self.line.send(f"pad/{slug}/hits", path, *((drum_class,) if drum_class else ()))
        return JSONResponse({"path": path, "class": drum_class})

    async def _drop_as_kit(self, request: Request) -> Response:
        """Make what was dropped a kit, and play it."""
        name, report = await asyncio.to_thread(self.drops.to_kit, request.path_params["drop"], self._kits())
        self.line.send("kit/load", name)
        return JSONResponse({"name": name, "report": report})

    async def _midi(self, request: Request) -> Response:
        song = self.player.song(_bars(request))
        data = midi_bytes(song, self.player.pattern.tempo)
        return Response(data, media_type="audio/midi", headers=_named("ghostnote.mid"))

    async def _render(self, request: Request) -> Response:
        song = self.player.song(_bars(request))
        kit = await self.line.kit()
        data = await self.bounces.bounce(song, kit)
        return Response(data, media_type="application/zip", headers=_named("ghostnote.zip"))

    def _kits(self) -> Path:
        """Return the kits' folder; `InputError` where there is none."""
        folder = self.hub.kit.get("folder", "")
        if not folder or not self.line.is_open:
            raise InputError("there is no folder for kits: start 'ghostnote live' with --page or with --kits FOLDER")
        return Path(folder)


async def _sent(socket: WebSocket, browser: Browser) -> None:
    """Send what waits for a browser, for as long as it takes it."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while not browser.is_lost:
            message = await browser.queue.get()
            await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))
        await socket.close(1013, "the page took nothing for too long")


async def _wav(hit: MapDrum) -> Response:
    return Response(await asyncio.to_thread(wav_bytes, hit), media_type="audio/wav")


async def _body(request: Request) -> bytes:
    """Return a short body; `InputError` for a longer one."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MOST_BODY:
            raise InputError("the body is too long")
    return data


async def _explained(_: Request, error: GhostnoteError) -> Response:
    return JSONResponse({"error": str(error)}, 422 if isinstance(error, InputError) else 500)


def _bars(request: Request) -> int:
    """Return how many bars are asked for; `InputError`."""
    text = request.query_params.get("bars", "4")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_BARS:
        raise InputError(f"bars = {text[:20]!r}, but it must be a number from 1 to {MOST_BARS}")
    return int(text)


def _named(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}

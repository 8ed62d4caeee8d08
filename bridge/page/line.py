"""The line to the daemon: its state comes by the local socket, and what the page does goes to it by OSC."""

import asyncio
import json
import logging
import re
import time
from collections import deque
from contextlib import suppress
from typing import Any, Final

from pythonosc.osc_message_builder import OscMessageBuilder

from ghostnote.bridge.errors import GhostnoteError, InputError
from ghostnote.bridge.kit.kit import Kit, parse_kit
from ghostnote.bridge.live.link.events import ROOT_FOLDER
from ghostnote.bridge.live.link.frames import HEAD, JSON, json_frame
from ghostnote.bridge.live.link.server import link_path
from ghostnote.bridge.live.osc.codec import OscError, bundle, pack, unpack
from ghostnote.bridge.live.osc.subscribers import ROOT
from ghostnote.bridge.page.hub import Hub

RETRY_SECONDS: Final = 0.5
"""How often a daemon that is not there is looked for."""
MOST_TEXT: Final = 1000

_ADDRESS: Final = re.compile(
    r"hit|note|panic|freeze|reroll|kit/(load|save)|(pad/[a-z0-9_]+|mix)(/[a-z0-9_]+){1,3}", re.ASCII
)
_MOST_FRAME: Final = 2**22
_PATIENCE_SECONDS: Final = 5.0
_logger = logging.getLogger(__name__)

Argument = int | float | str
Stroke = tuple[str, int, float]
"""A pad's name in addresses, a velocity, and when, in seconds since 1970."""


class _Replies(asyncio.DatagramProtocol):
    """Tells the browsers why something had no effect."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        with suppress(OscError):
            for message in unpack(data):
                if message.address == f"{ROOT}/error":
                    address, reason = (str(value) for value in message.arguments[:2])
                    self._hub.tell({"type": "error", "address": address.removeprefix(f"{ROOT}/"), "reason": reason})


class DaemonLine:
    """Holds the line to the daemon whose OSC has a port, and takes it up again whenever it comes back."""

    def __init__(self, hub: Hub, host: str, port: int) -> None:
        """Tell `hub` what comes in."""
        self._hub, self._where = hub, (host, port)
        self._writer: asyncio.StreamWriter | None = None
        self._osc: asyncio.DatagramTransport | None = None
        self._listens = False
        self._asking: deque[asyncio.Future[dict[str, Any]]] = deque()

    @property
    def is_open(self) -> bool:
        """Whether the daemon is there."""
        return self._writer is not None

    async def run(self) -> None:
        """Hold the line until this is cancelled."""
        loop = asyncio.get_running_loop()
        self._osc, _ = await loop.create_datagram_endpoint(lambda: _Replies(self._hub), remote_addr=self._where)
        try:
            while True:
                self._hub.tell({"type": "daemon", "is_there": False, "port": self._where[1]})
                with suppress(OSError, GhostnoteError, EOFError):
                    await self._hold()
                self._writer = None
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._osc.close()

    async def _hold(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(str(link_path(self._where[1])))
        writer = self._writer
        _logger.info("the daemon is there")
        try:
            self._hub.tell({"type": "daemon", "is_there": True, "port": self._where[1]})
            self._listens = False
            self.tend()
            while True:
                size, kind = HEAD.unpack(await reader.readexactly(HEAD.size))
                if size > _MOST_FRAME:
                    raise ConnectionError("the daemon is of another version")
                data = await reader.readexactly(size)
                if kind == JSON:
                    self._take(data.decode())
                else:
                    self._hub.pass_sound(data)
        finally:
            writer.close()

    def _take(self, text: str) -> None:
        message = json.loads(text)
        if message["type"] == "kit_text":
            while self._asking:
                asked = self._asking.popleft()
                if not asked.done():
                    asked.set_result(message)
        else:
            self._hub.pass_on(message, text)

    async def kit(self) -> Kit:
        """Return the kit as it plays now; `GhostnoteError` where the daemon does not say it."""
        if self._writer is None:
            raise InputError("the daemon is not there: start it with 'ghostnote live'")
        asked: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asking.append(asked)
        self._writer.write(json_frame({"kit": True}))
        try:
            answer = await asyncio.wait_for(asked, _PATIENCE_SECONDS)
        except TimeoutError as error:
            raise GhostnoteError("the daemon does not answer: try again") from error
        if answer["error"]:
            raise InputError(answer["error"])
        return parse_kit(answer["text"], ROOT_FOLDER, "the kit")

    def tend(self) -> None:
        """Ask for sound, or for no more, by what the browsers want."""
        if self._writer and self._hub.wants_sound != self._listens:
            self._listens = self._hub.wants_sound
            self._writer.write(json_frame({"sound": self._listens}))

    def send(self, address: str, *arguments: Argument) -> None:
        """Send a message below the root, as any OSC client does; `InputError` for one that no page sends."""
        if not _ADDRESS.fullmatch(address):
            raise InputError(f"{address[:80]!r} is not what a page can do")
        for value in arguments:
            if not isinstance(value, int | float | str) or (isinstance(value, str) and len(value) > MOST_TEXT):
                raise InputError(f"{address}: {str(value)[:80]!r} is not a number or a short text")
        if self._osc:
            self._osc.sendto(_exact(f"{ROOT}/{address}", arguments))

    def strike(self, strokes: list[Stroke]) -> None:
        """Let strokes sound at their moments; the daemon places them to the frame."""
        for pad, velocity, when in strokes:
            packet = pack(f"{ROOT}/hit", (pad, velocity))
            if self._osc:
                self._osc.sendto(bundle(when, packet) if when > time.time() else packet)


def _exact(address: str, arguments: tuple[Argument, ...]) -> bytes:
    """Return a message whose numbers are as exact as they are here: what is set is saved in kits."""
    builder = OscMessageBuilder(address)
    for value in arguments:
        builder.add_arg(value, OscMessageBuilder.ARG_TYPE_DOUBLE if isinstance(value, float) else None)
    return bytes(builder.build().dgram)

"""Runs the page's server on this computer alone, and says where it is."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvicorn

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.page.app import Page
from ghostnote.bridge.page.guard import HOST, TOKEN, Guard
from ghostnote.bridge.page.strokes import ModelStrokes, StrokeMaker
from ghostnote.bridge.page.studio import MakerSpec, ModelSpec

PORT: Final = 9080
"""Where the page is unless that port is taken."""

_TOKEN_BYTES: Final = 24
_MOST_MESSAGE: Final = 2**16
_PING_SECONDS: Final = 20.0
_END_SECONDS: Final = 1


@dataclass(frozen=True)
class PageSettings:
    """Which daemon a page shows, and where it is."""

    osc_port: int = 9000
    osc_host: str = HOST
    port: int | None = None
    """None for `PORT`, or any other if that is taken."""
    model: Path | None = None
    """The model file that makes drums and strokes; None for the one in the package."""
    maker: MakerSpec | None = None
    """What makes new drums and works on hits; None for the model."""
    strokes: StrokeMaker | None = None
    """What makes the strokes of renders and exports; None for the model."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES), repr=False)


class PageServer:
    """One page. `address` is where a browser opens it."""

    def __init__(self, settings: PageSettings) -> None:
        """Take the port; `InputError` where it is taken."""
        self.listening = _bound(settings.port)
        """The socket that browsers connect to."""
        port = self.listening.getsockname()[1]
        self.address = f"http://{HOST}:{port}/?{TOKEN}={settings.token}"
        maker, strokes = settings.maker or ModelSpec(settings.model), settings.strokes or ModelStrokes(settings.model)
        self.page = Page(settings.osc_host, settings.osc_port, maker, strokes)
        app = Guard(self.page.app(), port, settings.token)
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="websockets-sansio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            ws_max_size=_MOST_MESSAGE,
            ws_ping_interval=_PING_SECONDS,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_END_SECONDS,
        )
        self._server = uvicorn.Server(config)

    def run(self, announce: Callable[[str], None] = lambda _: None) -> None:
        """Serve until `stop`, SIGTERM or Ctrl-C; the address is announced first."""
        announce(self.address)
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run([self.listening])

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return self._server.started

    def stop(self) -> None:
        """End soon; may be called from any thread."""
        self._server.should_exit = True

    def end_with(self, wait: Callable[[], object]) -> None:
        """End when `wait` returns, which is called on a thread of its own."""

        def watch() -> None:
            wait()
            self.stop()

        threading.Thread(target=watch, name="ending", daemon=True).start()


def _bound(port: int | None) -> socket.socket:
    """Return a socket of this computer alone, which listens."""
    for each in (PORT, 0) if port is None else (port,):
        # With the protocol named, asyncio sends at once; else each answer waits 40 ms for the last one's receipt.
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((HOST, each))
            # From now on a browser that is quick waits instead of being refused.
            found.listen()
        except OSError as error:
            found.close()
            if each == 0 or port is not None:
                raise InputError(f"--port {each}: cannot be used ({error.strerror}); choose another") from error
        else:
            return found
    raise AssertionError

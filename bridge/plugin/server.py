"""The daemon behind plugins: one for all hosts of a user; it fills their memory and answers their bounces."""

import json
import logging
import os
import select
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from threading import Event
from typing import Final

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.io.runtime_folder import check_peer
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.live.malloc import large_blocks_apart
from ghostnote.bridge.plugin import layout, messages
from ghostnote.bridge.plugin.instance import Instance
from ghostnote.bridge.plugin.kits import numbered_kit, saved_kit
from ghostnote.bridge.plugin.messages import Inbox, Use
from ghostnote.bridge.plugin.runtime import listening
from ghostnote.bridge.plugin.workshop import ServerSettings, Workshop

MOST_CLIENTS: Final = 64
_TICK_SECONDS: Final = 0.01
_IDLE_TICK_SECONDS: Final = 0.5
_SEND_SECONDS: Final = 5.0
_RATES: Final = range(8_000, 192_001)
_UNUSED_SECONDS: Final = 30.0
"""For so long the workers of a rate that no host plays at wait for another."""

_logger = logging.getLogger(__name__)


@dataclass
class _Client:
    """A plugin at the other end of a socket."""

    line: socket.socket
    inbox: Inbox = field(default_factory=Inbox)
    instance: Instance | None = None


class Server:
    """Serves plugins until it is stopped. A context manager: all that it opened ends with it."""

    def __init__(self, settings: ServerSettings, listener: socket.socket) -> None:
        """Serve those that connect to a listening socket."""
        self._settings, self._listener = settings, listener
        self._clients: dict[int, _Client] = {}
        self._workshops: dict[int, Workshop] = {}
        self._used_at = time.monotonic()

    def __enter__(self) -> "Server":
        """Begin."""
        self._listener.setblocking(False)
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers and let all memory go."""
        for client in list(self._clients.values()):
            self._drop(client)
        for workshop in self._workshops.values():
            workshop.close()

    @property
    def is_idle(self) -> bool:
        """Whether nobody has been there for as long as it waits."""
        longest = self._settings.idle_seconds
        return longest is not None and not self._clients and time.monotonic() - self._used_at > longest

    def turn(self) -> None:
        """Do what is due, and wait for a moment."""
        lines = [self._listener, *(client.line for client in self._clients.values())]
        ready, _, _ = select.select(lines, [], [], _TICK_SECONDS if self._clients else _IDLE_TICK_SECONDS)
        for line in ready:
            if line is self._listener:
                self._accept()
            elif client := self._clients.get(line.fileno()):
                self._read(client)
        if self._clients:
            self._used_at = time.monotonic()
        self._assign()
        for rate, workshop in list(self._workshops.items()):
            if workshop.filler.failure:
                self._end(rate, str(workshop.filler.failure))
                continue
            for instance in workshop.instances:
                instance.tend()
            for warning in (*workshop.filler.failing.warnings,):
                workshop.filler.failing.warnings.remove(warning)
                _logger.warning(warning)

    def status(self) -> str:
        """Return what is served, as JSON."""
        instances = [client.instance for client in self._clients.values() if client.instance]
        troubles = {
            w.filler.trouble or str(w.filler.failure or "") or w.bouncer.trouble for w in self._workshops.values()
        }
        return json.dumps(
            {
                "version": version("ghostnote"),
                "process": os.getpid(),
                "kits": str(real_path(self._settings.kits)),
                "trouble": "; ".join(sorted(troubles - {""})),
                "plugins": [_facts(instance) for instance in instances],
            }
        )

    def _accept(self) -> None:
        with suppress(OSError):
            line, _ = self._listener.accept()
            try:
                check_peer(line)
                line.settimeout(_SEND_SECONDS)
            except OSError:
                line.close()
                return
            if len(self._clients) >= MOST_CLIENTS:
                self._refuse(line, f"more than {MOST_CLIENTS} plugins at once: remove some")
                line.close()
                return
            self._clients[line.fileno()] = _Client(line)

    def _read(self, client: _Client) -> None:
        try:
            data = client.line.recv(1 << 16)
            if not data:
                raise ConnectionError("it has gone")
            for kind, rest in client.inbox.add(data):
                if kind == messages.USE:
                    self._use(client, Use.read(rest))
                elif kind == messages.STATUS:
                    messages.send(client.line, messages.STATUS, self.status().encode())
        except (OSError, ValueError):
            self._drop(client)

    def _use(self, client: _Client, use: Use) -> None:
        """Give a plugin the memory of a kit, or say why it gets none."""
        try:
            if use.layout != layout.LAYOUT:
                raise GhostnoteError(
                    f"the plugin is of ghostnote {use.version}, the daemon of {version('ghostnote')}: run "
                    "'ghostnote plugin install', close all hosts and open the session again"
                )
            if use.rate not in _RATES:
                raise GhostnoteError(f"the host's rate is {use.rate} Hz: choose one from 8000 to 192000")
            chosen = (
                saved_kit(use.kit, use.seed) if use.kit else numbered_kit(use.number, self._settings.kits, use.seed)
            )
            client.instance = self._opened(chosen.kit, use.rate)
        except GhostnoteError as error:
            self._refuse(client.line, str(error))
            return
        self._assign()
        memory = client.instance.memory
        files = (memory.file, client.instance.asking, client.instance.answering)
        messages.send(client.line, messages.WELCOME, chosen.saved.encode(), files)

    def _opened(self, kit: Kit, rate: int) -> Instance:
        if len(kit.pads) > layout.MAX_PADS:
            raise GhostnoteError(f"kit '{kit.name}' has {len(kit.pads)} pads: the plugin plays {layout.MAX_PADS}")
        try:
            if rate not in self._workshops:
                self._workshops[rate] = Workshop(self._settings, rate)
            return Instance(kit, rate)
        except OSError as error:
            raise GhostnoteError(f"no memory for kit '{kit.name}': {error.strerror}; close other programs") from error

    def _refuse(self, line: socket.socket, why: str) -> None:
        _logger.warning("refused: %s", why)
        messages.send(line, messages.REFUSED, why.encode())

    def _drop(self, client: _Client) -> None:
        self._clients.pop(client.line.fileno(), None)
        client.line.close()

    def _end(self, rate: int, why: str) -> None:
        """Say to the plugins at a rate why nothing can be made for them; each asks again after a while."""
        for client in list(self._clients.values()):
            if client.instance and client.instance.rate == rate:
                client.instance = None
                try:
                    self._refuse(client.line, why)
                except OSError:
                    self._drop(client)
        self._workshops.pop(rate).close()

    def _assign(self) -> None:
        """Let each rate's workers serve the plugins that play at it, and end those that nobody needs."""
        for rate, workshop in list(self._workshops.items()):
            playing = (client.instance for client in self._clients.values())
            workshop.use(tuple(instance for instance in playing if instance and instance.rate == rate))
            if time.monotonic() - workshop.used_at > _UNUSED_SECONDS:
                del self._workshops[rate]
                workshop.close()


def serve(settings: ServerSettings, stopping: Event) -> None:
    """Serve plugins until `stopping` is set, or nobody needs it; `AlreadyRunsError` where another daemon does."""
    large_blocks_apart()
    with listening() as listener, Server(settings, listener) as server:
        _logger.info("serving plugins")
        while not stopping.is_set() and not server.is_idle:
            server.turn()


def _facts(instance: Instance) -> dict[str, object]:
    ready = sum(bool(queue.depth or queue.fallback or queue.failed) for queue in instance.queues)
    pads = {"pads": len(instance.queues), "pads_ready": ready}
    waiting = {"strokes_ready": sum(queue.depth for queue in instance.queues)}
    failing = {queue.pad.name: queue.failed for queue in instance.queues if queue.failed}
    return {"kit": instance.kit.name, "rate": instance.rate, **pads, **waiting, "failing": failing, **instance.counts}

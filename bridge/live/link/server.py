"""Tells pages on this computer what a session does. One thread; where no page looks, it only waits."""

import contextlib
import logging
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from ghostnote.bridge.devices.base import MidiPackets, Render
from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.io.runtime_folder import check_peer, runtime_folder
from ghostnote.bridge.live.hit import Audio
from ghostnote.bridge.live.link.events import Events, Facts
from ghostnote.bridge.live.link.frames import SOUND, Peer, frame
from ghostnote.bridge.live.link.picture import Picture
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.live.supervised import supervised

FRAME_SECONDS: Final = 1 / 30
"""From one look at the session to the next."""
MOST_PAGES: Final = 8

_SOUND_SECONDS: Final = 0.012
_IDLE_SECONDS: Final = 0.5
_MOST_BLOCKS: Final = 512
_logger = logging.getLogger(__name__)


def link_path(port: int) -> Path:
    """Return the socket of the session whose OSC has a port; `GhostnoteError` where there is no safe folder for it."""
    if not hasattr(socket, "AF_UNIX"):
        raise GhostnoteError("a page needs local sockets, which this system does not have")
    return runtime_folder() / f"live-{port}.sock"


class LinkServer:
    """Tells pages of a session. A context manager: in the end the socket is gone."""

    def __init__(self, session: Session, facts: Facts, port: int) -> None:
        """Open the socket of the OSC port; `GhostnoteError` or `OSError` where it cannot be."""
        self._session, self._events = session, Events(session, facts)
        self.path = link_path(port)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # What a killed session left: the port is this one's now.
        self.path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._listener.bind(str(self.path))
        except OSError:
            self._listener.close()
            raise
        finally:
            os.umask(before)
        self._listener.listen()
        self._peers: list[Peer] = []
        self._picture = Picture(session)
        self._mix: deque[Audio] = deque(maxlen=_MOST_BLOCKS)
        self.is_listened = False
        """Whether a page takes the sound."""
        self._due = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="link", daemon=True)

    def __enter__(self) -> "LinkServer":
        """Begin to tell."""
        self._session.listeners.append(self._events.listen)
        self._session.engine.watch = self._events.watch
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let all pages go."""
        self._stopping.set()
        self._thread.join(1.0)
        for peer in self._peers:
            peer.line.close()
        self._listener.close()
        with contextlib.suppress(OSError):
            self.path.unlink()

    @property
    def is_watched(self) -> bool:
        """Whether a page looks."""
        return self._events.is_watched

    def tapped(self, render: Render) -> Render:
        """Return a render whose blocks a page can have, too."""
        engine, events = self._session.engine, self._events

        def block(frames: int, began: float, midi: MidiPackets = ()) -> Audio:
            events.block = (engine.frame, began)
            audio = render(frames, began, midi)
            if self.is_listened:
                self._mix.append(audio[:2].copy())
            return audio

        return block

    def _serve(self) -> None:
        supervised(self._turn, self._stopping, lambda what: self._session.trouble("page", what))

    def _turn(self) -> None:
        readable, writable, _ = select.select(
            [self._listener, *(peer.line for peer in self._peers)],
            [peer.line for peer in self._peers if peer.has_more],
            [],
            self._pause(),
        )
        if self._listener in readable:
            self._accept()
        for peer in tuple(self._peers):
            with self._kept(peer):
                if peer.line in writable:
                    peer.flush()
                for command in peer.commands() if peer.line in readable else ():
                    self._do(peer, command)
        self.is_listened = any(peer.wants_sound for peer in self._peers)
        if self._mix:
            self._tell_sound()
        if self._peers and time.perf_counter() >= self._due:
            self._due = time.perf_counter() + FRAME_SECONDS
            self._tell()

    def _pause(self) -> float:
        if not self._peers:
            return _IDLE_SECONDS
        ahead = max(0.0, self._due - time.perf_counter())
        return min(ahead, _SOUND_SECONDS) if self.is_listened else ahead

    def _accept(self) -> None:
        line, _ = self._listener.accept()
        try:
            if hasattr(socket, "SO_PEERCRED"):
                check_peer(line)
            if len(self._peers) >= MOST_PAGES:
                raise PermissionError("too many pages")
        except OSError as error:
            _logger.warning("a page is refused: %s", error)
            line.close()
            return
        self._peers.append(Peer(line))
        self._events.is_watched = True
        self._due = 0.0

    @contextlib.contextmanager
    def _kept(self, peer: Peer) -> Iterator[None]:
        """Let a page go where the block finds that it is gone."""
        try:
            yield
        except OSError as error:
            _logger.info("page ends: %s", error)
            self._peers.remove(peer)
            peer.line.close()
            self._events.is_watched = bool(self._peers)

    def _do(self, peer: Peer, command: dict[str, object]) -> None:
        if "sound" in command:
            peer.wants_sound = bool(command["sound"])
        if "kit" in command:
            peer.send(self._events.kit_text())

    def _tell(self) -> None:
        everything: list[bytes] | None = None
        news = [*self._picture.news(), *self._events.news()]
        for peer in tuple(self._peers):
            with self._kept(peer):
                if peer.is_new:
                    everything = everything or [*self._picture.all(), self._events.kits(), self._events.status()]
                for data in everything or () if peer.is_new else news:
                    peer.send(data)
                peer.is_new = False

    def _tell_sound(self) -> None:
        blocks = []
        while self._mix:
            blocks.append(self._mix.popleft())
        mix = np.concatenate(blocks, axis=1)
        samples = np.rint(np.clip(mix, -1, 1) * 32767).astype("<i2")
        data = frame(SOUND, samples.T.tobytes())
        for peer in tuple(self._peers):
            with self._kept(peer):
                if peer.wants_sound:
                    peer.send(data)

"""Who is sent what changes: replies to those who asked, news to those who subscribed."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ghostnote.bridge.live.osc.codec import Argument, pack
from ghostnote.bridge.live.pad_parameters import Value

ROOT: Final = "/ghostnote"
MOST_SUBSCRIBERS: Final = 16
LEASE_SECONDS: Final = 60.0
"""Who sends no packet for so long is sent nothing more."""
HELLO: Final = f"{ROOT}/hello"
"""Tells whoever gets it that its sender is a ghostnote: two of them must not answer each other."""

_HELLO_SECONDS: Final = LEASE_SECONDS / 3
_MOST_NEWS: Final = 512

Peer = tuple[str, int]
Send = Callable[[Peer, bytes], None]

_logger = logging.getLogger(__name__)


@dataclass
class _Subscriber:
    """Someone who is sent what changes."""

    seconds: float
    """From one look at the meters to the next; infinite for none."""
    wants_replies: bool
    sender: Peer
    """Who asked for it."""
    seen: float
    """When that one sent a packet last, in `perf_counter` seconds."""
    due: float = 0.0
    hello_due: float = 0.0


class Subscribers:
    """Sends replies and news; all of it on one thread but `tell`."""

    def __init__(self, send: Send) -> None:
        """Send packets through `send`; nobody has subscribed yet."""
        self._send = send
        self._subscribers: dict[Peer, _Subscriber] = {}
        self._programs: dict[Peer, float] = {}
        self._news: deque[tuple[str, tuple[Value, ...]]] = deque(maxlen=_MOST_NEWS)

    def add(self, peer: Peer, sender: Peer, hertz: float, wants_replies: bool) -> None:
        """Send a peer what changes, and the meters so often; where there are too many, the longest silent gives way."""
        if len(self._subscribers) >= MOST_SUBSCRIBERS and peer not in self._subscribers:
            del self._subscribers[min(self._subscribers, key=lambda other: self._subscribers[other].seen)]
        seconds = 1 / hertz if hertz else math.inf
        due = 0.0 if hertz else math.inf
        self._subscribers[peer] = _Subscriber(seconds, wants_replies, sender, time.perf_counter(), due)

    def renew(self, sender: Peer) -> None:
        """Note that a packet of this sender came: its subscription lives, or it is a ghostnote still."""
        for peer, subscriber in self._subscribers.items():
            if sender in (peer, subscriber.sender):
                subscriber.seen = time.perf_counter()
        if sender in self._programs:
            self._programs[sender] = time.perf_counter()

    def ignore(self, program: Peer) -> None:
        """Note that a peer is a ghostnote: while it sends packets, nothing is sent to it."""
        self._subscribers.pop(program, None)
        if len(self._programs) >= MOST_SUBSCRIBERS:
            del self._programs[min(self._programs, key=self._programs.__getitem__)]
        self._programs[program] = time.perf_counter()

    def is_ignored(self, peer: Peer) -> bool:
        """Return whether a peer is another ghostnote."""
        return peer in self._programs

    def remove(self, peer: Peer) -> bool:
        """Send it no more; False where it was not subscribed."""
        return self._subscribers.pop(peer, None) is not None

    def reply(self, sender: Peer, path: str, values: tuple[Argument, ...]) -> None:
        """Send something to whoever asked, and to the port of its that subscribed."""
        packet = pack(f"{ROOT}/{path}", values)
        others = [p for p, s in self._subscribers.items() if s.wants_replies and p[0] == sender[0] and p != sender]
        for peer in (sender, *others):
            self._send(peer, packet)

    def tell(self, path: str, values: tuple[Value, ...]) -> None:
        """Keep news for the subscribers; may be called from any thread."""
        if self._subscribers:
            self._news.append((path, values))

    def send_news(self, now: float, levels: Callable[[], tuple[bytes, ...]]) -> None:
        """Send what is new, and the packets that `levels` makes to those for whom they are due."""
        self._end_leases(now - LEASE_SECONDS)
        packets = []
        while self._news:
            path, values = self._news.popleft()
            packets.append(pack(f"{ROOT}/{path}", values))
        for peer, subscriber in self._subscribers.items():
            if now >= subscriber.hello_due:
                subscriber.hello_due = now + _HELLO_SECONDS
                self._send(peer, pack(HELLO, ()))
            due = now >= subscriber.due
            if due:
                subscriber.due = now + subscriber.seconds
            for packet in (*packets, *(levels() if due else ())):
                self._send(peer, packet)

    def _end_leases(self, oldest: float) -> None:
        """Forget who sent its last packet before the moment `oldest`."""
        for peer in [peer for peer, subscriber in self._subscribers.items() if subscriber.seen < oldest]:
            del self._subscribers[peer]
            _logger.info("OSC to %s port %d ends: nothing came from there for %.0f s", *peer, LEASE_SECONDS)
        self._programs = {peer: seen for peer, seen in self._programs.items() if seen >= oldest}

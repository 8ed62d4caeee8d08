"""Who is sent what changes: replies to those who asked, news to those who subscribed."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ghostnote.bridge.live.osc.codec import Argument, pack
from ghostnote.bridge.live.pad_parameters import Value

ROOT: Final = "/ghostnote"
MOST_SUBSCRIBERS: Final = 16

_MOST_NEWS: Final = 512

Peer = tuple[str, int]
Send = Callable[[Peer, bytes], None]


@dataclass
class _Subscriber:
    """Someone who is sent what changes."""

    seconds: float
    """From one look at the meters to the next; 0 for none."""
    wants_replies: bool
    sender: Peer
    """Who asked for it."""
    seen: float
    """When that one sent a packet last, in `perf_counter` seconds."""
    due: float = 0.0


class Subscribers:
    """Sends replies and news; all of it on one thread but `tell`."""

    def __init__(self, send: Send) -> None:
        """Send packets through `send`; nobody has subscribed yet."""
        self._send = send
        self._subscribers: dict[Peer, _Subscriber] = {}
        self._news: deque[tuple[str, tuple[Value, ...]]] = deque(maxlen=_MOST_NEWS)

    def add(self, peer: Peer, sender: Peer, hertz: float, wants_replies: bool) -> None:
        """Send a peer what changes, and the meters so often; where there are too many, the longest silent gives way."""
        if len(self._subscribers) >= MOST_SUBSCRIBERS and peer not in self._subscribers:
            del self._subscribers[min(self._subscribers, key=lambda other: self._subscribers[other].seen)]
        self._subscribers[peer] = _Subscriber(1 / hertz if hertz else 0.0, wants_replies, sender, time.perf_counter())

    def renew(self, sender: Peer) -> None:
        """Note that a packet of this sender came: its subscription lives."""
        for peer, subscriber in self._subscribers.items():
            if sender in (peer, subscriber.sender):
                subscriber.seen = time.perf_counter()

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
        packets = []
        while self._news:
            path, values = self._news.popleft()
            packets.append(pack(f"{ROOT}/{path}", values))
        for peer, subscriber in self._subscribers.items():
            due = subscriber.seconds and now >= subscriber.due
            if due:
                subscriber.due = now + subscriber.seconds
            for packet in (*packets, *(levels() if due else ())):
                self._send(peer, packet)

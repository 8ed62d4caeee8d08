"""The OSC server: one UDP socket, one thread, and bundles that wait for their time without holding up others."""

import heapq
import ipaddress
import itertools
import logging
import select
import socket
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.live.osc.call import Services
from ghostnote.bridge.live.osc.codec import MAX_PACKET, OscError, TimedMessage, unpack
from ghostnote.bridge.live.osc.dispatcher import Dispatcher, WorkBudget
from ghostnote.bridge.live.osc.session import Facts, LiveSession
from ghostnote.bridge.live.osc.subscribers import Peer, Subscribers
from ghostnote.bridge.live.supervised import supervised

WORK_A_SECOND: Final = 2000
"""A packet costs 1, and so does each address that a message of it means. More than that is a flood, and shed."""
BURST_WORK: Final = 500
"""So much may come at once."""
MOST_SCHEDULED: Final = 1024
FURTHEST_SECONDS: Final = 60.0
"""Bundles for later than that are refused: a clock is wrong."""

_TICK_SECONDS: Final = 0.02
_BUFFER_BYTES: Final = 2**20
_LOOPBACK: Final = "127.0.0.1"
_MOST_LOGGED: Final = 64

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OscSettings:
    """Where OSC comes in, and from whom."""

    host: str = _LOOPBACK
    port: int = 9000
    allowed: tuple[str, ...] = ()
    """Addresses of senders beside this computer's own."""
    may_quit: bool = False


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`, `:PORT` or `PORT`; `InputError`."""
    host, _, port = text.strip().rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise InputError(f"--osc {text}: write HOST:PORT, with a port from 1 to 65535")
    return host.strip("[]") or _LOOPBACK, int(port)


def check_settings(settings: OscSettings) -> None:
    """Raise `InputError` where the server would listen to a network without a list of who may speak."""
    try:
        for sender in settings.allowed:
            ipaddress.ip_network(sender, strict=False)
        inside = all(_address(found[4][0]).is_loopback for found in _resolved(settings))
    except (ValueError, OSError) as error:
        raise InputError(f"OSC address {settings.host}: {error}; give a numeric address") from error
    if not inside and not settings.allowed:
        raise InputError(
            f"--osc {settings.host} listens to a network: say who may play, as with --osc-allow 192.168.1.20"
        )


def _resolved(settings: OscSettings) -> list[Any]:
    """Return what a numeric address or a name stands for, as `getaddrinfo` does, IPv4 first; `OSError`."""
    found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_DGRAM)
    return sorted(found, key=lambda one: one[0] != socket.AF_INET)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address; one of IPv4 that comes in an IPv6 socket as itself."""
    address = ipaddress.ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(64)
def _is_local(host: str) -> bool:
    """Return whether an address is one of this computer's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


class OscServer:
    """Lets others play and change a session. A context manager: the port is free again when it ends."""

    def __init__(self, settings: OscSettings, session: LiveSession, facts: Facts) -> None:
        """Open the port; `InputError` when it is taken or not this computer's."""
        check_settings(settings)
        family, _, _, _, where = _resolved(settings)[0]
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.bind(where)
        except OSError as error:
            self._socket.close()
            raise InputError(
                f"OSC cannot listen on {settings.host}:{settings.port} ({error.strerror}): choose another port"
            ) from error
        self._socket.setblocking(False)
        self.address: Peer = self._socket.getsockname()[:2]
        self._session = session
        self._subscribers = Subscribers(self._send)
        self._budget = WorkBudget(WORK_A_SECOND, BURST_WORK)
        services = Services(session, self._subscribers, facts, self._is_ghostnote, settings.may_quit)
        self._dispatcher = Dispatcher(services, self._budget)
        self._allowed = [ipaddress.ip_network(sender, strict=False) for sender in settings.allowed]
        self._refused: set[str] = set()
        self._scheduled: list[tuple[float, int, TimedMessage, Peer]] = []
        self._serial = itertools.count()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="osc", daemon=True)

    def __enter__(self) -> "OscServer":
        """Begin to listen."""
        self._session.listeners.append(self._subscribers.tell)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the port."""
        self._stopping.set()
        self._thread.join(0.5)
        self._socket.close()

    def _serve(self) -> None:
        supervised(self._turn, self._stopping, self._note_fault, _TICK_SECONDS)

    def _note_fault(self, what: str) -> None:
        self._session.counts["osc_faults"] += bool(what)
        self._session.trouble("OSC", what)

    def _turn(self) -> None:
        """Wait for a packet for a moment, and do what is due."""
        ready, _, _ = select.select([self._socket], [], [], self._pause())
        if ready:
            self._receive()
        now = time.perf_counter()
        while self._scheduled and self._scheduled[0][0] <= now:
            _, _, message, sender = heapq.heappop(self._scheduled)
            self._do(message, now, sender)
        self._dispatcher.send_news(now)

    def _pause(self) -> float:
        if not self._scheduled:
            return _TICK_SECONDS
        return min(_TICK_SECONDS, max(0.0, self._scheduled[0][0] - time.perf_counter()))

    def _receive(self) -> None:
        """Take one packet."""
        stamp = time.perf_counter()
        try:
            packet, where = self._socket.recvfrom(65536)
        except OSError:
            # A reply found nobody there.
            return
        sender: Peer = where[:2]
        counts = self._session.counts
        if self._is_ghostnote(sender) or not self._is_welcome(sender):
            counts["osc_refused"] += 1
            self._subscribers.renew(sender)
            self._log_refusal(sender[0])
            return
        if not self._budget.take(1):
            counts["osc_shed"] += 1
            return
        counts["osc"] += 1
        self._subscribers.renew(sender)
        try:
            messages = unpack(packet)
        except OscError as error:
            counts["osc_garbage"] += 1
            self._dispatcher.fail(sender, "", str(error))
            return
        for message in messages:
            self._place(message, stamp, sender)

    def _place(self, message: TimedMessage, stamp: float, sender: Peer) -> None:
        """Carry out a message now, hand it to the engine with its time, or keep it until then."""
        ahead = 0.0 if message.due is None else message.due - time.time()
        if message.due is not None and ahead < 0:
            self._session.counts["osc_late"] += 1
        if ahead <= 0:
            self._do(message, stamp, sender)
        elif ahead > FURTHEST_SECONDS:
            self._dispatcher.fail(sender, message.address, f"a bundle for {ahead:.0f} seconds from now is refused")
        elif self._dispatcher.is_played(message):
            self._do(message, time.perf_counter() + ahead, sender)
        elif len(self._scheduled) >= MOST_SCHEDULED:
            self._dispatcher.fail(sender, message.address, "too many messages wait for their time already")
        else:
            due = time.perf_counter() + ahead
            heapq.heappush(self._scheduled, (due, next(self._serial), message, sender))

    def _do(self, message: TimedMessage, stamp: float, sender: Peer) -> None:
        try:
            self._dispatcher.do(message, stamp, sender)
        except Exception as error:  # one message must never end the server; it is counted and replied
            self._session.counts["osc_faults"] += 1
            self._dispatcher.fail(sender, message.address, f"internal error {error!r}")

    def _is_ghostnote(self, peer: Peer) -> bool:
        """Return whether this is our own port or another ghostnote's: an answer to an answer would go on for ever."""
        return self._subscribers.is_ignored(peer) or (peer[1] == self.address[1] and _is_local(peer[0]))

    def _is_welcome(self, sender: Peer) -> bool:
        address = _address(sender[0])
        return address.is_loopback or any(address in network for network in self._allowed)

    def _log_refusal(self, host: str) -> None:
        """Log a sender that may not speak, once each, and only the first ones: a flood must not fill the disk."""
        if host not in self._refused and len(self._refused) < _MOST_LOGGED:
            self._refused.add(host)
            _logger.warning("OSC from %s refused: it is not allowed (see --osc-allow), or from a ghostnote", host)

    def _send(self, peer: Peer, packet: bytes) -> None:
        if len(packet) > MAX_PACKET:
            self._session.counts["osc_unsent"] += 1
            return
        try:
            self._socket.sendto(packet, peer)
        except OSError:
            self._session.counts["osc_unsent"] += 1

"""What OSC messages do: addresses found, calls made, replies and news sent. No socket and no thread in here."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.kit.fields import FieldError
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.osc.addresses import ADDRESSES, PAD, ROOT, Address, Call
from ghostnote.bridge.live.osc.codec import Argument, OscError, TimedMessage, pack
from ghostnote.bridge.live.osc.pattern import matches
from ghostnote.bridge.live.pad_parameters import Value, slug
from ghostnote.bridge.live.status import facts
from ghostnote.bridge.midi.events import Event

if TYPE_CHECKING:
    from ghostnote.bridge.live.daemon import Live

MOST_SUBSCRIBERS: Final = 16

_MOST_NEWS: Final = 512
_REPLY_BYTES: Final = 1200
_ERROR_LENGTH: Final = 400

Peer = tuple[str, int]
Send = Callable[[Peer, bytes], None]


@dataclass
class _Subscriber:
    """Someone who is told what changes."""

    seconds: float
    due: float
    wants_replies: bool


class OscDesk:
    """Carries out messages; all of it on one thread but `tell`."""

    def __init__(self, live: "Live", send: Send, may_quit: bool = False) -> None:
        """Answer through `send`."""
        self.session = live.session
        self.may_quit = may_quit
        self._live, self._send = live, send
        self._subscribers: dict[Peer, _Subscriber] = {}
        self._news: deque[tuple[str, tuple[Value, ...]]] = deque(maxlen=_MOST_NEWS)
        self._known: dict[str, tuple[Address, Pad | None]] = {}
        self._known_of: Kit | None = None

    def addresses(self) -> dict[str, tuple[Address, Pad | None]]:
        """Return all addresses with the present kit's pads in them."""
        kit = self.session.kit
        if kit is not self._known_of:
            self._known = {
                f"{ROOT}/{address.path.replace(PAD, slug(pad.name)) if pad else address.path}": (address, pad)
                for address in ADDRESSES
                for pad in (kit.pads if PAD in address.path else (None,))
            }
            self._known_of = kit
        return self._known

    def do(self, message: TimedMessage, stamp: float, sender: Peer) -> None:
        """Carry out a message; what is wrong with it is replied."""
        known = self.addresses()
        try:
            found = [message.address] if message.address in known else matches(message.address, known)
            if not found:
                raise OscError("there is no such address; 'ghostnote osc' lists all")
            for name in found:
                self._call(name, *known[name], message.arguments, stamp, sender)
        except (GhostnoteError, FieldError) as error:
            self.fail(sender, message.address, str(error))

    def is_played(self, message: TimedMessage) -> bool:
        """Return whether the engine is to place this message in time by itself."""
        found = self.addresses().get(message.address)
        return found is not None and found[0].is_played

    def strike(self, pad: Pad, velocity: int, stamp: float) -> None:
        """Strike a pad; `OscError` when too much waits already."""
        if not self.session.strike(pad.name, velocity, stamp):
            raise OscError("too many notes wait already: this one was left out")

    def play(self, event: Event, stamp: float) -> None:
        """Play an event; `OscError` when too much waits already."""
        if not self.session.play(event, stamp):
            raise OscError("too many notes wait already: this one was left out")

    def pad(self, which: Argument) -> Pad:
        """Return the pad of a name or a number from 1; `OscError`."""
        pads = self.session.kit.pads
        if isinstance(which, str):
            found = next((pad for pad in pads if slug(pad.name) == slug(which)), None)
        elif isinstance(which, int | float) and 1 <= which <= len(pads):
            found = pads[int(which) - 1]
        else:
            found = None
        if found is None:
            raise OscError(f"there is no pad {which!r}; the pads are 1 to {len(pads)}, see {ROOT}/pads")
        return found

    def facts(self) -> dict[str, Value]:
        """Return the status."""
        return facts(self._live)

    def fitting(self, values: Iterable[Value]) -> tuple[Value, ...]:
        """Return as many values as a packet holds."""
        kept: list[Value] = []
        room = _REPLY_BYTES
        for value in values:
            room -= len(str(value).encode()) + 8
            if room < 0:
                break
            kept.append(value)
        return tuple(kept)

    def subscribe(self, sender: Peer, port: int | None, hertz: float) -> None:
        """Tell the sender, or another port of its, what changes; `OscError` for one too many."""
        peer = (sender[0], port or sender[1])
        if len(self._subscribers) >= MOST_SUBSCRIBERS and peer not in self._subscribers:
            raise OscError(f"there are {MOST_SUBSCRIBERS} subscribers already")
        self._subscribers[peer] = _Subscriber(1 / hertz if hertz else 0.0, 0.0, port is not None)

    def unsubscribe(self, sender: Peer, port: int | None) -> bool:
        """Tell it no more; False where it was not told anything."""
        return self._subscribers.pop((sender[0], port or sender[1]), None) is not None

    def reply(self, sender: Peer, path: str, values: tuple[Argument, ...]) -> None:
        """Send something to whoever asked, and to the port of its that subscribed."""
        packet = pack(f"{ROOT}/{path}", values)
        others = [
            p for p, s in self._subscribers.items() if s.wants_replies and p[0] == sender[0] and p != sender
        ]
        for peer in (sender, *others):
            self._send(peer, packet)

    def fail(self, sender: Peer, address: str, reason: str) -> None:
        """Say why a message had no effect."""
        self.session.counts["osc_errors"] += 1
        self.reply(sender, "error", (address[:_ERROR_LENGTH], reason[:_ERROR_LENGTH]))

    def tell(self, path: str, values: tuple[Value, ...]) -> None:
        """Keep news for the subscribers; may be called from any thread."""
        if self._subscribers:
            self._news.append((path, values))

    def spread(self, now: float) -> None:
        """Send the subscribers what is new."""
        engine = self.session.engine
        packets = []
        while self._news:
            path, values = self._news.popleft()
            packets.append(pack(f"{ROOT}/{path}", values))
        while engine.played:
            played = engine.played.popleft()
            values = (slug(played.pad), played.velocity, played.origin.value)
            packets.append(pack(f"{ROOT}/played", values))
        for peer, subscriber in self._subscribers.items():
            due = subscriber.seconds and now >= subscriber.due
            if due:
                subscriber.due = now + subscriber.seconds
            for packet in (*packets, *(self._levels() if due else ())):
                self._send(peer, packet)

    def _levels(self) -> tuple[bytes, bytes]:
        session = self.session
        meters = [session.engine.meter(name) for name in ("", *(pad.name for pad in session.kit.pads))]
        depths = [shelf.depth for shelf in session.setup.shelves]
        return pack(f"{ROOT}/meters", tuple(meters)), pack(f"{ROOT}/depth", tuple(depths))

    def _call(
        self,
        name: str,
        address: Address,
        pad: Pad | None,
        arguments: tuple[Argument, ...],
        stamp: float,
        sender: Peer,
    ) -> None:
        least, most = address.counts
        if not least <= len(arguments) <= most:
            takes = address.arguments or "no arguments"
            raise OscError(f"{len(arguments)} arguments are given, but {name} takes: {takes}")
        values = address.run(Call(self, arguments, stamp, sender, pad))
        if values is not None:
            self.reply(sender, name.removeprefix(f"{ROOT}/"), values)

"""From an OSC message to what it does: finds the addresses it means and calls each. No socket and no thread in here."""

import logging
import time
from collections.abc import Iterator
from typing import Final

from ghostnote.bridge.errors import GhostnoteError
from ghostnote.bridge.kit.fields import FieldError
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.osc.addresses import ADDRESSES, EFFECT, PAD, Address
from ghostnote.bridge.live.osc.call import Call, Services
from ghostnote.bridge.live.osc.codec import OscError, TimedMessage, pack
from ghostnote.bridge.live.osc.effect_calls import effect_names, no_such_effect
from ghostnote.bridge.live.osc.pattern import matches
from ghostnote.bridge.live.osc.subscribers import HELLO, ROOT, Peer
from ghostnote.bridge.live.pad_parameters import slug

_ERROR_LENGTH: Final = 400
_ERROR: Final = f"{ROOT}/error"

_logger = logging.getLogger(__name__)


_PATTERN_WORK: Final = 4

Place = tuple[Address, Pad | None, tuple[int, str]]
"""An address, and the pad and the effect's parameter that are in its name."""


class WorkBudget:
    """So much may be done a second, and so much at once: a token bucket."""

    def __init__(self, a_second: float, burst: float) -> None:
        """Start with a whole burst."""
        self._a_second, self._burst = a_second, burst
        self._left, self._filled = burst, time.perf_counter()

    def take(self, work: float) -> bool:
        """Return whether there is room for this work, and count it; what is larger than a burst counts as one."""
        now = time.perf_counter()
        self._left = min(self._burst, self._left + (now - self._filled) * self._a_second)
        self._filled = now
        work = min(work, self._burst)
        if self._left < work:
            return False
        self._left -= work
        return True


def _places(kit: Kit) -> Iterator[tuple[str, Place]]:
    """Yield each address of a kit by its name, with the pad and the effect that are in it."""
    pads = [(pad, slug(pad.name), effect_names(pad.effects)) for pad in kit.pads]
    for address in ADDRESSES:
        for pad, name, effects in pads if PAD in address.path else ((None, "", effect_names(kit.effects)),):
            path = f"{ROOT}/{address.path}".replace(PAD, name)
            if EFFECT not in path:
                yield path, (address, pad, (0, ""))
                continue
            for number, parameter in effects:
                yield path.replace(EFFECT, f"{number}/{parameter}"), (address, pad, (number, parameter))


class Dispatcher:
    """Carries out messages, all on one thread."""

    def __init__(self, services: Services, budget: WorkBudget) -> None:
        """Let messages play and change the session of `services`, within the budget."""
        self._services, self._budget = services, budget
        self._addresses: dict[str, Place] = {}
        self._addresses_of: Kit | None = None

    def addresses(self) -> dict[str, Place]:
        """Return all addresses with the present kit's pads and effects in them."""
        kit = self._services.session.kit
        if kit is not self._addresses_of:
            self._addresses = dict(_places(kit))
            self._addresses_of = kit
        return self._addresses

    def do(self, message: TimedMessage, stamp: float, sender: Peer) -> None:
        """Carry out a message; what is wrong with it is replied."""
        known = self.addresses()
        is_name = message.address in known
        if message.address == HELLO:
            self._services.subscribers.ignore(sender)
        # An error that is answered by an error would go on for ever.
        if message.address in (_ERROR, HELLO) or not self._has_room(1 if is_name else _PATTERN_WORK):
            return
        try:
            found = [message.address] if is_name else matches(message.address, known)
            if not found:
                raise OscError(
                    no_such_effect(message.address.removeprefix(f"{ROOT}/"), self._services.session.kit)
                    or "there is no such address; 'ghostnote osc' lists all"
                )
            if not self._has_room(sum(known[name][0].work for name in found) - 1):
                return
            for name in found:
                address, pad, effect = known[name]
                arguments = address.checked(name, message.arguments)
                values = address.run(Call(self._services, arguments, stamp, sender, pad, effect))
                if values is not None:
                    self._services.subscribers.reply(sender, name.removeprefix(f"{ROOT}/"), values)
        except (GhostnoteError, FieldError) as error:
            self.fail(sender, message.address, str(error))

    def _has_room(self, work: int) -> bool:
        if self._budget.take(work):
            return True
        self._services.session.counts["osc_shed"] += 1
        return False

    def is_played(self, message: TimedMessage) -> bool:
        """Return whether the engine is to place this message in time by itself."""
        found = self.addresses().get(message.address)
        return found is not None and found[0].is_played

    def fail(self, sender: Peer, address: str, reason: str) -> None:
        """Reply why a message had no effect."""
        self._services.session.counts["osc_errors"] += 1
        _logger.info("OSC %s from %s refused: %s", address or "packet", sender[0], reason)
        values = (address[:_ERROR_LENGTH], reason[:_ERROR_LENGTH])
        self._services.subscribers.reply(sender, "error", values)

    def send_news(self, now: float) -> None:
        """Send the subscribers what changed and what was played."""
        subscribers, played = self._services.subscribers, self._services.session.engine.played
        while played:
            note = played.popleft()
            subscribers.tell("played", (slug(note.pad), note.velocity, note.origin.value))
        subscribers.send_news(now, self._levels)

    def _levels(self) -> tuple[bytes, bytes]:
        session = self._services.session
        meters = [session.engine.meter(name) for name in ("", *(pad.name for pad in session.kit.pads))]
        return pack(f"{ROOT}/meters", tuple(meters)), pack(f"{ROOT}/depth", session.depths())

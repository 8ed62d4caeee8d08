"""One OSC message as an address's function gets it: its arguments, checked, and what it acts upon."""

from collections.abc import Callable
from dataclasses import dataclass

from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.osc.codec import Argument, OscError
from ghostnote.bridge.live.osc.session import Facts, LiveSession
from ghostnote.bridge.live.osc.subscribers import Peer, Subscribers

Reply = tuple[Argument, ...] | None


@dataclass(frozen=True)
class Services:
    """What messages act upon."""

    session: LiveSession
    subscribers: Subscribers
    facts: Facts
    is_ghostnote: Callable[[Peer], bool]
    """Whether an address is that of the server itself, or of another ghostnote."""
    may_quit: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One message, as far as it is understood."""

    services: Services
    arguments: tuple[Argument, ...]
    stamp: float
    """When it is to happen, in `perf_counter` seconds."""
    sender: Peer
    addressed: Pad | None = None
    """The pad in its address."""
    effect: tuple[int, str] = (0, "")
    """The effect in its address, from 1, and the parameter."""

    @property
    def session(self) -> LiveSession:
        """What it plays and changes."""
        return self.services.session

    @property
    def pad(self) -> Pad:
        """The pad in its address; `OscError` where there is none."""
        if self.addressed is None:
            raise OscError("the address names no pad")
        return self.addressed

    def number(self, at: int, name: str, low: float, high: float) -> float:
        """Return an argument that must be a number, whatever its type; `OscError` for any other."""
        value = self.arguments[at]
        if not isinstance(value, int | float) or not low <= value <= high:
            raise OscError(f"{name} = {value!r}, but it must be a number from {low:g} to {high:g}")
        return value

    def whole(self, at: int, name: str, low: int, high: int) -> int:
        """Return an argument that must be a whole number, whatever its type; `OscError` for any other."""
        value = self.arguments[at]
        if not isinstance(value, int | float) or not low <= value <= high or value != int(value):
            raise OscError(f"{name} = {value!r}, but it must be a whole number from {low} to {high}")
        return int(value)

    def text(self, at: int, name: str) -> str:
        """Return an argument that must be text."""
        value = self.arguments[at]
        if not isinstance(value, str) or not value:
            raise OscError(f"{name} = {value!r}, but it must be text")
        return value

    def velocity(self, at: int) -> int:
        """Return a velocity 0 to 127: a bool, or a floating-point number up to 1, is a share of the hardest stroke."""
        value = self.number(at, "velocity", 0, 127)
        share = isinstance(value, float | bool) and 0 < value <= 1
        return round(value * 127) if share else round(value)

    def port(self, at: int) -> int | None:
        """Return a port number, or None where it is left out."""
        return self.whole(at, "port", 1, 65535) if len(self.arguments) > at else None

"""Every OSC address, as the one table that the server runs on and `ghostnote osc` prints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.osc.codec import Argument, OscError
from ghostnote.bridge.live.pad_parameters import FIELDS, Value, slug
from ghostnote.bridge.midi.events import NoteOn

if TYPE_CHECKING:
    from ghostnote.bridge.live.osc.dispatcher import OscDesk

ROOT: Final = "/ghostnote"
PAD: Final = "NAME"

Reply = tuple[Value, ...] | None


@dataclass(frozen=True, slots=True)
class Call:
    """One message, as far as it is understood."""

    desk: "OscDesk"
    arguments: tuple[Argument, ...]
    stamp: float
    """When it is to happen, in `perf_counter` seconds."""
    sender: tuple[str, int]
    pad: Pad | None = None
    """The pad in its address."""

    @property
    def struck(self) -> Pad:
        """The pad in its address; `OscError` where there is none."""
        if self.pad is None:
            raise OscError("the address names no pad")
        return self.pad

    def number(self, at: int, name: str, low: float, high: float) -> float:
        """Return an argument that must be a number, whatever its type; `OscError` for any other."""
        value = self.arguments[at]
        if not isinstance(value, int | float) or not low <= value <= high:
            raise OscError(f"{name} = {value!r}, but it must be a number from {low:g} to {high:g}")
        return value

    def text(self, at: int, name: str) -> str:
        """Return an argument that must be text."""
        value = self.arguments[at]
        if not isinstance(value, str) or not value:
            raise OscError(f"{name} = {value!r}, but it must be text")
        return value

    def velocity(self, at: int) -> int:
        """Return a velocity 0 to 127: a floating-point number up to 1 is a share of the hardest stroke."""
        value = self.number(at, "velocity", 0, 127)
        share = isinstance(value, float) and 0 < value <= 1
        return round(value * 127) if share else round(value)


@dataclass(frozen=True)
class Address:
    """One address below the root."""

    path: str
    """`NAME` stands for a pad's name in lower case, with `_` for all but letters and digits."""
    arguments: str
    """What it takes; in brackets what may be left out."""
    about: str
    run: Callable[[Call], Reply]
    """Does it and returns what is replied, None for no reply."""
    is_played: bool = False
    """Whether the engine itself waits for its time, to the frame."""

    @property
    def counts(self) -> tuple[int, int]:
        """How many arguments it takes, at least and at most."""
        words = self.arguments.split()
        return sum(not word.startswith("[") for word in words), len(words)


def _hit(call: Call) -> Reply:
    velocity = call.velocity(1)
    if velocity:
        call.desk.strike(call.desk.pad(call.arguments[0]), velocity, call.stamp)
    return None


def _note(call: Call) -> Reply:
    note, velocity = round(call.number(0, "number", 0, 127)), call.velocity(1)
    if velocity:
        call.desk.play(NoteOn(0, note, velocity), call.stamp)
    return None


def _field(name: str) -> Callable[[Call], Reply]:
    def run(call: Call) -> Reply:
        if call.arguments:
            call.desk.session.set(call.struck, name, call.arguments[0])
            return None
        return (call.desk.session.get(call.struck, name),)

    return run


def _reroll(call: Call) -> Reply:
    return (call.desk.session.reroll(call.struck),)


def _learn(call: Call) -> Reply:
    on = bool(call.number(0, "learn", 0, 1)) if call.arguments else True
    call.desk.session.learn(call.struck if on else None)
    return (int(on),)


def _freeze(call: Call) -> Reply:
    if call.arguments:
        call.desk.session.freeze(round(call.number(0, "count", 0, 2**31)))
        return None
    return (call.desk.session.engine.frozen,)


def _load(call: Call) -> Reply:
    call.desk.session.load(call.text(0, "name"))
    return (call.desk.session.kit.name,)


def _save(call: Call) -> Reply:
    return (call.desk.session.save(call.text(0, "name")).name,)


def _kits(call: Call) -> Reply:
    return call.desk.fitting(call.desk.session.kit_names())


def _pads(call: Call) -> Reply:
    return call.desk.fitting([slug(pad.name) for pad in call.desk.session.kit.pads])


def _panic(call: Call) -> Reply:
    call.desk.session.panic()
    return None


def _ping(call: Call) -> Reply:
    return call.desk.fitting([value for value in call.arguments if isinstance(value, int | float | str)])


def _subscribe(call: Call) -> Reply:
    hertz = call.number(0, "hz", 0, 60) if call.arguments else 10.0
    port = round(call.number(1, "port", 1, 65535)) if len(call.arguments) > 1 else None
    call.desk.subscribe(call.sender, port, hertz)
    return (float(hertz),)


def _unsubscribe(call: Call) -> Reply:
    port = round(call.number(0, "port", 1, 65535)) if call.arguments else None
    return (int(call.desk.unsubscribe(call.sender, port)),)


def _status(call: Call) -> Reply:
    for name, value in call.desk.facts().items():
        call.desk.reply(call.sender, f"status/{name}", (value,))
    return None


def _quit(call: Call) -> Reply:
    if not call.desk.may_quit:
        raise OscError("quit is not allowed: start with --osc-quit to allow it")
    call.desk.session.stopping.set()
    return (1,)


ADDRESSES: Final = (
    Address("hit", "pad velocity", "strike a pad, by name or by number from 1", _hit, is_played=True),
    Address("note", "number velocity", "play a MIDI note", _note, is_played=True),
    *(
        Address(
            f"pad/{PAD}/{field.name}",
            "[value]",
            f"{field.about}; replies it when left out",
            _field(field.name),
        )
        for field in FIELDS.values()
    ),
    Address(f"pad/{PAD}/reroll", "", "another drum: the next seed, which is replied", _reroll),
    Address(f"pad/{PAD}/learn", "[on]", "the next MIDI note strikes this pad from then on", _learn),
    Address(
        "freeze", "[count]", "go round the last strokes of each pad, up to 16; 0 plays new ones", _freeze
    ),
    Address("kit/load", "name", "play a kit of the kits' folder", _load),
    Address("kit/save", "name", "write the kit as it is now into the kits' folder", _save),
    Address("kit/list", "", "the kits of the folder, in the order of program changes", _kits),
    Address("pads", "", "the pads' names as they stand in addresses", _pads),
    Address("panic", "", "let everything fade", _panic, is_played=True),
    Address("ping", "[value] [value] [value] [value]", "replies its arguments", _ping),
    Address(
        "subscribe",
        "[hz] [port]",
        "send changes, notes, meters and the pool's depth, these two so often; with a port replies and errors too",
        _subscribe,
    ),
    Address("unsubscribe", "[port]", "send them no more", _unsubscribe),
    Address("status", "", "replies status/... messages", _status),
    Address("quit", "", "end the program, if that is allowed", _quit),
)
"""In the order in which they are printed."""

SENT: Final = (
    ("error", "address reason", "why a message had no effect"),
    ("played", "pad velocity origin", "a note; fresh, spare, repeat or frozen"),
    ("meters", "mix pad pad ...", "peaks, 1 is full scale"),
    ("depth", "pad pad ...", "how many strokes wait"),
    ("notice", "text", "what the user should know"),
)
"""What is sent to subscribers beside the changes themselves, which have the address that sets them."""

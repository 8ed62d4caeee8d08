"""Every OSC address, as the one table that the server runs on and `ghostnote osc` prints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.osc.call import Call, Reply
from ghostnote.bridge.live.osc.codec import Argument, OscError
from ghostnote.bridge.live.osc.effect_calls import effect_list, effect_value
from ghostnote.bridge.live.osc.pad_calls import field, fitting, hits, learn, redo, reroll, reroll_all, undo
from ghostnote.bridge.live.osc.session import LiveSession
from ghostnote.bridge.live.osc.subscribers import LEASE_SECONDS, ROOT
from ghostnote.bridge.live.pad_parameters import FIELDS, slug
from ghostnote.bridge.midi.events import NoteOn

PAD: Final = "NAME"
EFFECT: Final = "N/PARAMETER"

_STATUS_WORK: Final = 50
"""As many as the packets that it replies."""
_LOAD_WORK: Final = 20
"""Plugins are loaded."""


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
    work: int = 1
    """What it costs, in simple messages."""

    def checked(self, name: str, arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
        """Return the arguments that count: not a last nil, nor the number that a button sends where none is taken.

        `OscError` for too few or too many to this address, which was called by `name`.
        """
        words = self.arguments.split()
        while arguments and arguments[-1] is None:
            arguments = arguments[:-1]
        if not words and len(arguments) == 1 and isinstance(arguments[0], int | float):
            return ()
        least = sum(not word.startswith("[") for word in words)
        if not least <= len(arguments) <= len(words):
            takes = self.arguments or "no arguments"
            raise OscError(f"{len(arguments)} arguments are given, but {name} takes: {takes}")
        return arguments


def _hit(call: Call) -> Reply:
    velocity = call.velocity(1)
    if velocity:
        pad = _pad(call.session, call.arguments[0])
        _taken(call.session.strike(pad.name, velocity, call.stamp))
    return None


def _note(call: Call) -> Reply:
    note, velocity = call.whole(0, "number", 0, 127), call.velocity(1)
    if velocity:
        _taken(call.session.play(NoteOn(0, note, velocity), call.stamp))
    return None


def _taken(is_taken: bool) -> None:
    if not is_taken:
        raise OscError("too many notes wait already: this one was left out")


def _pad(session: LiveSession, which: Argument) -> Pad:
    """Return the pad of a name or a number from 1; `OscError`."""
    pads = session.kit.pads
    if isinstance(which, str):
        found = next((pad for pad in pads if slug(pad.name) == slug(which)), None)
    elif isinstance(which, int | float) and 1 <= which <= len(pads) and which == int(which):
        found = pads[int(which) - 1]
    else:
        found = None
    if found is None:
        raise OscError(f"there is no pad {which!r}; the pads are 1 to {len(pads)}, see {ROOT}/pads")
    return found


def _freeze(call: Call) -> Reply:
    if call.arguments:
        call.session.freeze(call.whole(0, "count", 0, 2**31))
        return None
    return (call.session.engine.frozen,)


def _load(call: Call) -> Reply:
    call.session.load(call.text(0, "name"))
    return (call.session.kit.name,)


def _save(call: Call) -> Reply:
    replaces = bool(call.number(1, "replace", 0, 1)) if len(call.arguments) > 1 else False
    return (call.session.save(call.text(0, "name"), replaces=replaces).name,)


def _kits(call: Call) -> Reply:
    return fitting(call.session.kit_names())


def _pads(call: Call) -> Reply:
    return fitting(slug(pad.name) for pad in call.session.kit.pads)


def _panic(call: Call) -> Reply:
    call.session.panic()
    return None


def _ping(call: Call) -> Reply:
    return fitting(value for value in call.arguments if isinstance(value, int | float | str | bytes | None))


def _subscribe(call: Call) -> Reply:
    hertz = call.number(0, "hz", 0, 60) if call.arguments else 10.0
    port = call.port(1)
    peer = (call.sender[0], port or call.sender[1])
    if call.services.is_ghostnote(peer):
        raise OscError(f"port {peer[1]} is this program's own, or another ghostnote's: name the one that you listen on")
    call.services.subscribers.add(peer, call.sender, hertz, port is not None)
    return (float(hertz),)


def _unsubscribe(call: Call) -> Reply:
    return (int(call.services.subscribers.remove((call.sender[0], call.port(0) or call.sender[1]))),)


def _status(call: Call) -> Reply:
    for name, value in call.services.facts().items():
        call.services.subscribers.reply(call.sender, f"status/{name}", (value,))
    return None


def _quit(call: Call) -> Reply:
    if not call.services.may_quit:
        raise OscError("quit is not allowed: start with --osc-quit to allow it")
    call.session.stopping.set()
    return (1,)


ADDRESSES: Final = (
    Address("hit", "pad velocity", "strike a pad, by name or by number from 1", _hit, is_played=True),
    Address("note", "number velocity", "play a MIDI note", _note, is_played=True),
    *(
        Address(f"pad/{PAD}/{one.name}", "[value]", f"{one.about}; replies it when left out", field(one.name))
        for one in FIELDS.values()
    ),
    Address(f"pad/{PAD}/reroll", "", "another drum: the next seed, which is replied", reroll),
    Address(f"pad/{PAD}/undo", "[count]", "take back so many changes of the drum; the seed is replied", undo),
    Address(f"pad/{PAD}/redo", "[count]", "make so many of them again; the seed is replied", redo),
    Address(
        f"pad/{PAD}/hits",
        "[path] [class]",
        "strokes start from this sound file or folder of the kits' folder, of '' from a generated drum;"
        " the drum is of that class;"
        " replies the files' names when left out",
        hits,
        work=_LOAD_WORK,
    ),
    Address(
        "reroll", "", "another drum on every pad that is not locked; replies how many", reroll_all, work=_LOAD_WORK
    ),
    Address(
        f"pad/{PAD}/learn",
        "[on] [move]",
        "the next note by MIDI or OSC strikes this pad from then on, 0 or another kit calls it off;"
        " with move = 1 even the only note of another pad, which gets one of this pad's for it",
        learn,
    ),
    *(
        address
        for root, whose in ((f"pad/{PAD}", "the pad's"), ("mix", "the mix's"))
        for address in (
            Address(
                f"{root}/effects",
                "[list]",
                f"{whose} effects, a list as in a kit file, without new plugins; replies it when left out",
                effect_list,
                work=_LOAD_WORK,
            ),
            Address(
                f"{root}/effect/{EFFECT}",
                "[value]",
                f"a parameter of {whose} effect number N, from 1, or `bypass`; replies it when left out",
                effect_value,
            ),
        )
    ),
    Address("freeze", "[count]", "go round the last strokes of each pad, up to 16; 0 plays new ones", _freeze),
    Address("kit/load", "name", "play a kit of the kits' folder", _load),
    Address(
        "kit/save",
        "name [replace]",
        "write the kit as it is now into the kits' folder, over its own file;"
        " over another kit only with replace = 1, else that is an error",
        _save,
    ),
    Address("kit/list", "", "the kits of the folder, in the order of program changes", _kits),
    Address("pads", "", "the pads' names as they stand in addresses", _pads),
    Address("panic", "", "let everything fade", _panic),
    Address("ping", "[value] [value] [value] [value]", "replies its arguments, but for arrays, times and MIDI", _ping),
    Address(
        "subscribe",
        "[hz] [port]",
        "send changes, notes, meters and the pool's depth, these two so often; with a port replies and errors too."
        f" It ends {LEASE_SECONDS:.0f} s after the last packet from there or from who asked;"
        " of more than 16, who was silent the longest gives way",
        _subscribe,
    ),
    Address("unsubscribe", "[port]", "send them no more", _unsubscribe),
    Address("status", "", "replies status/... messages", _status, work=_STATUS_WORK),
    Address("quit", "", "end the program, if that is allowed", _quit),
)
"""In the order in which they are printed."""

SENT: Final = (
    ("error", "address reason", "why a message had no effect"),
    ("played", "pad velocity origin", "a note; fresh, fallback, reused or frozen"),
    ("meters", "mix pad pad ...", "peaks, 1 is full scale"),
    ("depth", "pad pad ...", "how many strokes wait"),
    ("notice", "text", "what the user should know"),
    ("hello", "", "sent at first and every 20 s: another ghostnote that gets it ignores its sender"),
)
"""What is sent to subscribers beside the changes themselves, which have the address that sets them."""

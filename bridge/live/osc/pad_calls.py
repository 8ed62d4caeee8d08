"""What OSC does to a pad: its fields, its drum, what its strokes start from, and its note."""

from collections.abc import Callable, Iterable
from typing import Final

from ghostnote.bridge.live.drum_history import MOST_KEPT
from ghostnote.bridge.live.osc.call import Call, Reply
from ghostnote.bridge.live.osc.codec import Argument

_REPLY_BYTES: Final = 1200


def field(name: str) -> Callable[[Call], Reply]:
    """Return what sets a field of a pad, or replies it."""

    def run(call: Call) -> Reply:
        if call.arguments:
            call.session.set(call.pad, name, call.arguments[0])
            return None
        return (call.session.get(call.pad, name),)

    return run


def reroll(call: Call) -> Reply:
    """Make another drum."""
    return (call.session.reroll(call.pad),)


def reroll_all(call: Call) -> Reply:
    """Make another drum on every pad that is not locked."""
    pads = [pad for pad in call.session.kit.pads if not call.session.get(pad, "lock")]
    for pad in pads:
        call.session.reroll(pad)
    return (len(pads),)


def undo(call: Call) -> Reply:
    """Take back changes of the drum."""
    return (call.session.undo(call.pad, _count(call)),)


def redo(call: Call) -> Reply:
    """Make changes again that were taken back."""
    return (call.session.undo(call.pad, -_count(call)),)


def _count(call: Call) -> int:
    return call.whole(0, "count", 1, MOST_KEPT) if call.arguments else 1


def hits(call: Call) -> Reply:
    """Set what strokes start from, or reply the files' names."""
    if call.arguments == ("",):
        call.session.use_hits(call.pad, "")
    elif call.arguments:
        drum_class = call.text(1, "class") if len(call.arguments) > 1 else ""
        call.session.use_hits(call.pad, call.text(0, "path"), drum_class)
    else:
        return fitting(file.name for file in call.pad.files)
    return None


def learn(call: Call) -> Reply:
    """Let the next note strike the pad."""
    on = bool(call.number(0, "on", 0, 1)) if call.arguments else True
    move = bool(call.number(1, "move", 0, 1)) if len(call.arguments) > 1 else False
    call.session.learn(call.pad if on else None, move)
    return (int(on),)


def fitting(values: Iterable[Argument]) -> tuple[Argument, ...]:
    """Return as many values as a packet holds."""
    kept: list[Argument] = []
    room = _REPLY_BYTES
    for value in values:
        room -= len(value if isinstance(value, bytes) else str(value).encode(errors="replace")) + 8
        if room < 0:
            break
        kept.append(value)
    return tuple(kept)

"""The performer turns events into strokes and fades, for the live engine and the renderer alike."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from ghostnote.bridge.kit.choke import CHOKE_SECONDS, CYMBALS, choked_by
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.midi.events import Aftertouch, Event, NoteOn, PedalMove, Silence
from ghostnote.bridge.render.instants import INSTANT_SECONDS

PEDAL_CLOSED: Final = 100
"""The position of controller 4 from which the hi-hat counts as closed."""
REPLACE_SECONDS: Final = 0.002
"""How long a stroke fades that a louder one of the same instant replaces."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A voice begins: the `index`-th stroke (from 0) of the kit's pad number `pad`."""

    frame: int
    pad: int
    index: int
    velocity: int
    channel: int | None = None
    """The MIDI channel of its note, if that is known."""


@dataclass(frozen=True, slots=True)
class Fade:
    """The active voices of these pads, or those of one channel's notes, fade within `seconds`."""

    frame: int
    pads: tuple[int, ...]
    seconds: float
    channel: int | None = None
    younger: float | None = None
    """Those alone that began within so many seconds before."""


Action = Stroke | Fade


class Performer:
    """Turns events one by one into what the mixer does; holds the kit and the state of each channel's pedal.

    Hits are one-shots: note-offs are ignored. A stroke fades the voices of the other pads in its choke group; a
    hi-hat's stroke also fades that hat's earlier strokes. Controllers and pressure act on the notes of their own
    channel: pressure fades cymbals, closing the pedal the open hats. While it is closed, a note of an open hat
    plays the kit's closed hat, if there is one: that of its choke group before any other.
    """

    def __init__(self, kit: Kit, closed_pedals: Collection[int] = ()) -> None:
        """Start before every pad's first stroke, with the hi-hat's pedal closed on these channels."""
        pads = kit.pads
        self.unmapped: Counter[int] = Counter()
        """Notes that no pad plays, and how often each occurred."""
        self._pad_of_note = {note: i for i, pad in enumerate(pads) for note in pad.notes}
        self._all = tuple(range(len(pads)))
        self._chokes = tuple(choked_by(pads, i) for i in self._all)
        self._open_hats = tuple(i for i, pad in enumerate(pads) if pad.drum_class == "open_hat")
        self._closed_of = {i: _closed_hat(kit, i) for i in self._open_hats}
        self._strokes = [0] * len(pads)
        self._cymbals = tuple(i for i, pad in enumerate(pads) if pad.drum_class in CYMBALS)
        self.closed_pedals = set(closed_pedals)
        """The channels on which the hi-hat's pedal is down."""
        self._handlers: dict[type, Callable[..., list[Action]]] = {
            NoteOn: self._note,
            PedalMove: self._pedal,
            Aftertouch: self._pressure,
            Silence: self._silence,
        }

    def pad_of(self, note: int) -> int | None:
        """Return the number of the pad that a note strikes with the pedal open, or None."""
        return self._pad_of_note.get(note)

    def handle(self, event: Event) -> list[Action]:
        """Return what an event fades and starts, in the order for the mixer."""
        return self._handlers[type(event)](event)

    def _note(self, event: NoteOn) -> list[Action]:
        pad = self._pad_of_note.get(event.note)
        if pad is None:
            self.unmapped[event.note] += 1
            return []
        if event.channel in self.closed_pedals:
            pad = self._closed_of.get(pad, pad)
        replaced = [Fade(event.frame, (pad,), REPLACE_SECONDS, None, INSTANT_SECONDS)] if event.replaces else []
        return [*replaced, *self.strike(event.frame, pad, event.velocity, event.channel)]

    def strike(self, frame: int, pad: int, velocity: int, channel: int | None = None) -> list[Action]:
        """Return what a stroke on the kit's pad number `pad` starts and fades, whatever the pedal's position."""
        index = self._strokes[pad]
        self._strokes[pad] += 1
        return [*self._fade(frame, self._chokes[pad]), Stroke(frame, pad, index, velocity, channel)]

    def _pedal(self, event: PedalMove) -> list[Action]:
        was_closed = event.channel in self.closed_pedals
        if event.position < PEDAL_CLOSED:
            self.closed_pedals.discard(event.channel)
            return []
        self.closed_pedals.add(event.channel)
        return [] if was_closed else self._fade(event.frame, self._open_hats, event.channel)

    def _pressure(self, event: Aftertouch) -> list[Action]:
        pressed = self._cymbals
        if event.note is not None:
            pressed = tuple(pad for pad in pressed if pad == self._pad_of_note.get(event.note))
        return self._fade(event.frame, pressed, event.channel) if event.pressure else []

    def _silence(self, event: Silence) -> list[Action]:
        return self._fade(event.frame, self._all, event.channel)

    def _fade(self, frame: int, pads: tuple[int, ...], channel: int | None = None) -> list[Action]:
        return [Fade(frame, pads, CHOKE_SECONDS, channel)] if pads else []


def _closed_hat(kit: Kit, open_hat: int) -> int:
    """Return the pad that an open hat's notes play while the pedal is closed."""
    group = kit.pads[open_hat].choke
    closed = [i for i, pad in enumerate(kit.pads) if pad.drum_class == "closed_hat"]
    return min(closed, key=lambda i: (kit.pads[i].choke != group, i), default=open_hat)

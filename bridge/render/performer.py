"""The performer turns events into strokes and fades, for the live engine and the renderer alike."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ghostnote.bridge.kit.choke import CHOKE_SECONDS, CYMBALS, choked_by
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.kit.zones import least_openness, most_openness, nearest_zone, zones_of
from ghostnote.bridge.midi.events import Aftertouch, Event, NoteOn, PedalMove, Silence
from ghostnote.bridge.render.instants import INSTANT_SECONDS

PEDAL_CLOSED: Final = 100
"""The position of controller 4 from which the hi-hat counts as closed."""
_CLOSED_OPENNESS: Final = 1 - PEDAL_CLOSED / 127
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
    zone: int = 0
    """Which of the pad's zones it plays."""


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
    plays the kit's closed hat, if there is one: that of its choke group before any other. Of a pad with strokes of
    several opennesses or positions it plays the zone that is nearest to the pedal and to controller 16.
    """

    def __init__(self, kit: Kit, pedals: Mapping[int, int] | None = None) -> None:
        """Start before every pad's first stroke, with the hi-hat's pedal at a position on these channels."""
        pads = kit.pads
        self.unmapped: Counter[int] = Counter()
        """Notes that no pad plays, and how often each occurred."""
        self._pad_of_note = {note: i for i, pad in enumerate(pads) for note in pad.notes}
        self._all = tuple(range(len(pads)))
        self._chokes = tuple(choked_by(pads, i) for i in self._all)
        self.zones = tuple(map(zones_of, pads))
        """Of each pad."""
        classed = [i for i, pad in enumerate(pads) if pad.drum_class == "open_hat"]
        self.closed_of = {i: _closed_hat(kit, i) for i in classed if least_openness(self.zones[i]) > _CLOSED_OPENNESS}
        """What open hats play while the pedal is closed; a pad with open and closed strokes plays its own."""
        self.open_hats = tuple(i for i in self._all if i in classed or most_openness(self.zones[i]) > _CLOSED_OPENNESS)
        """The pads that the pedal chokes as it closes."""
        self._strokes: Counter[tuple[int, int]] = Counter()
        self._cymbals = tuple(i for i, pad in enumerate(pads) if pad.drum_class in CYMBALS)
        self.pedals = dict(pedals or {})
        """The position of the hi-hat's pedal by channel, 0 open to 127 closed."""
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
        pedal = self.pedals.get(event.channel)
        if pedal is not None and pedal >= PEDAL_CLOSED:
            pad = self.closed_of.get(pad, pad)
        zone = nearest_zone(self.zones[pad], event.note, pedal, event.position)
        replaced = [Fade(event.frame, (pad,), REPLACE_SECONDS, None, INSTANT_SECONDS)] if event.replaces else []
        return [*replaced, *self._strike(Stroke(event.frame, pad, 0, event.velocity, event.channel, zone))]

    def strike(self, frame: int, pad: int, velocity: int) -> list[Action]:
        """Return what a stroke on the kit's pad number `pad` starts and fades, whatever the pedal's position."""
        return self._strike(Stroke(frame, pad, 0, velocity, None, nearest_zone(self.zones[pad], None, None, None)))

    def _strike(self, stroke: Stroke) -> list[Action]:
        """Return a stroke with its number, after what it chokes."""
        index = self._strokes[stroke.pad, stroke.zone]
        self._strokes[stroke.pad, stroke.zone] += 1
        return [*self._fade(stroke.frame, self._chokes[stroke.pad]), replace(stroke, index=index)]

    def _pedal(self, event: PedalMove) -> list[Action]:
        was_closed = self.pedals.get(event.channel, 0) >= PEDAL_CLOSED
        self.pedals[event.channel] = event.position
        closes = event.position >= PEDAL_CLOSED and not was_closed
        return self._fade(event.frame, self.open_hats, event.channel) if closes else []

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

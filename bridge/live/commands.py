"""What can be asked of the live engine, and what it plays with, as plain data."""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from ghostnote.bridge.dsp.effect_rack import Rack
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.hit import Hit, Origin
from ghostnote.bridge.midi.events import Event
from ghostnote.bridge.render.mixer import POLYPHONY, Mixer, rack_for
from ghostnote.bridge.render.performer import Fade, Performer

MAX_BLOCK: Final = 8192
"""No driver asks for longer blocks."""
FREEZE_MOST: Final = 16
"""How many of the last strokes of a pad can be frozen."""


@dataclass(frozen=True, slots=True)
class Play:
    """An event of the timeline; its own frame does not count."""

    event: Event


@dataclass(frozen=True, slots=True)
class StrikePad:
    """A stroke on the pad of this name, whatever its notes are."""

    pad: str
    velocity: int


@dataclass(frozen=True, slots=True)
class Use:
    """Play this from the next block on."""

    setup: "Setup"


@dataclass(frozen=True, slots=True)
class Mute:
    """Only these pads are audible from now on."""

    audible: frozenset[str]


@dataclass(frozen=True, slots=True)
class Freeze:
    """Go round the last `count` strokes of each pad instead of playing new ones; 0 thaws."""

    count: int


Command = Play | StrikePad | Use | Mute | Freeze


class Via(Enum):
    """Which way a command came in; each has a queue of its own, so that none crowds out another."""

    CONTROL = "control"
    """Setups, mutes and panic: never shed, as they are confirmed."""
    MIDI = "midi"
    OSC = "osc"


Entry = tuple[float, int, Command]
"""A command that waits: its stamp, a number in the order of their coming, and what it is."""


class CommandQueue:
    """Commands that wait for their time. `inbox` belongs to all threads, the rest to the one that plays."""

    def __init__(self, most: int | None) -> None:
        """Hold `most` commands, or any number."""
        self.most = most
        self.inbox: deque[Entry] = deque()
        self.waiting: list[Entry] = []

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self.inbox) + len(self.waiting)

    def due(self, began: float) -> Iterator[Entry]:
        """Take out what is stamped before `began`, in the order of the stamps."""
        while self.inbox:
            heapq.heappush(self.waiting, self.inbox.popleft())
        while self.waiting and self.waiting[0][0] < began:
            yield heapq.heappop(self.waiting)


class HitQueue(Protocol):
    """Where a pad's strokes come from."""

    recent: deque[Hit]
    """The last ones taken."""

    def take(self, velocity: int) -> tuple[Hit, Origin] | None:
        """Return a stroke for a note and where it comes from; None while there is none at all."""


QueuesOf = Callable[[Sequence[Pad]], Sequence[Sequence[HitQueue]]]
"""Returns the queues of a kit's pads."""


@dataclass(frozen=True)
class Setup:
    """All that plays a kit: made outside the audio thread, swapped in whole."""

    kit: Kit
    performer: Performer
    mixer: Mixer
    queues: Sequence[Sequence[HitQueue]]
    """One for each zone of each pad."""
    effects: Rack

    @classmethod
    def of(cls, kit: Kit, queues: QueuesOf, rate: int, before: "Setup | None" = None) -> "Setup":
        """Return the setup for a kit; where its pads are those of the one `before`, what sounds goes on.

        `KitError` for an effect that cannot be loaded.
        """
        performer = Performer(kit, before.performer.pedals if before else None)
        if before is not None:
            performer.unmapped.update(before.performer.unmapped)
        names = [pad.name for pad in kit.pads]
        same = before is not None and names == [pad.name for pad in before.kit.pads]
        # First what may fail.
        if before is not None and same:
            is_changed = kit.all_effects != before.kit.all_effects
            effects = rack_for(kit, rate, before.effects) if is_changed else before.effects
            return cls(kit, performer, before.mixer, queues(kit.pads), effects)
        effects = rack_for(kit, rate)
        mixer = Mixer(kit.pads, rate, POLYPHONY, MAX_BLOCK, effects)
        return cls(kit, performer, mixer, queues(kit.pads), effects)


@dataclass(frozen=True, slots=True)
class Played:
    """A note that was played."""

    pad: str
    velocity: int
    origin: Origin


Watch = Callable[[Played, Hit, int], None]
"""Told of each stroke on the audio thread, so it only takes note: what was played, of which audio, at which frame."""


class Recorder(Protocol):
    """Records what is played, to the frame."""

    def stroke(
        self, frame: int, pad: Pad, velocity: int, hit: Hit, gains: tuple[float, float], channel: int | None
    ) -> None:
        """Note that a hit of a MIDI channel began."""

    def fade(self, frame: int, pads: tuple[str, ...], fade: Fade) -> None:
        """Note that what sounded on pads of these names, or what of it `fade` means, began to fade."""

    def effects(self, frame: int, kit: Kit) -> None:
        """Note that the pads and the mix have the effects of a kit from here on."""

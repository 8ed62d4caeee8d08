"""What OSC needs of a live session, and nothing else."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ghostnote.bridge.dsp.effects import Effect
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.commands import Played
from ghostnote.bridge.live.pad_parameters import Value
from ghostnote.bridge.midi.events import Event

Facts = Callable[[], dict[str, Value]]
"""Returns the status, each fact under a short name."""


class Sounding(Protocol):
    """What is sounding."""

    frozen: int
    played: deque[Played]
    """The notes that nobody was sent yet."""

    def meter(self, name: str) -> float:
        """Return a pad's peak; the name '' is the whole mix."""


class LiveSession(Protocol):
    """A live session that messages play and change."""

    counts: Counter[str]
    listeners: list[Callable[[str, tuple[Value, ...]], None]]
    stopping: threading.Event

    @property
    def engine(self) -> Sounding:
        """What is sounding."""

    @property
    def kit(self) -> Kit:
        """The kit as it is now."""

    def trouble(self, part: str, what: str) -> None:
        """Note what is wrong with a part, '' for nothing."""

    def depths(self) -> tuple[int, ...]:
        """Return how many strokes of each pad wait."""

    def play(self, event: Event, stamp: float) -> bool:
        """Let an event of that moment sound; False when too many wait."""

    def strike(self, pad: str, velocity: int, stamp: float) -> bool:
        """Let a pad of that name sound; False when too many wait."""

    def panic(self) -> None:
        """Let everything fade."""

    def get(self, pad: Pad, name: str) -> Value:
        """Return a field of a pad."""

    def set(self, pad: Pad, name: str, value: object) -> None:
        """Change a field of a pad; `FieldError`."""

    def set_effects(self, pad: Pad | None, effects: tuple[Effect, ...], address: str, value: Value) -> None:
        """Give a pad, or without one the mix, these effects; `KitError`."""

    def reroll(self, pad: Pad) -> int:
        """Give a pad the next seed and return it."""

    def undo(self, pad: Pad, count: int) -> int:
        """Take back so many changes of a pad's drum, or make -count of them again; `FieldError`."""

    def use_hits(self, pad: Pad, name: str, drum_class: str = "") -> None:
        """Let a pad's strokes start from a file or folder of the kits' folder; `FieldError`, `KitError`."""

    def learn(self, pad: Pad | None, move: bool = False) -> None:
        """Let the next note strike this pad, even the only one of another if it is to `move`; None gives up."""

    def freeze(self, count: int) -> None:
        """Go round each pad's last strokes; `FieldError`."""

    def load(self, name: str) -> None:
        """Play a kit of the kits' folder; `KitError`."""

    def save(self, name: str, *, replaces: bool = False) -> Path:
        """Write the kit into the kits' folder, over another only if it `replaces` it; `KitError`, `OutputError`."""

    def kit_names(self) -> list[str]:
        """Return the kit files of the kits' folder."""

"""Choke rules: which drums a stroke silences, and how fast."""

from collections.abc import Sequence
from typing import Final, Protocol

CHOKE_SECONDS: Final = 0.068
"""How long a choked voice fades; DrumGizmo's value."""
HATS: Final = frozenset({"closed_hat", "open_hat", "pedal_hat"})
"""Classes that choke one another, and whose strokes also choke their own earlier ones."""
CYMBALS: Final = HATS | {"crash", "ride"}
"""Classes that a hand can choke."""


class Chokable(Protocol):
    """A pad of a kit or an instrument of a sampler kit."""

    @property
    def drum_class(self) -> str:
        """The kind of drum."""

    @property
    def choke(self) -> str | None:
        """The choke group, if it has one."""


def choked_by(drums: Sequence[Chokable], striker: int) -> tuple[int, ...]:
    """Return the places of the drums whose voices a stroke on `drums[striker]` ends."""
    group = drums[striker].choke
    return tuple(
        at
        for at, drum in enumerate(drums)
        if (drum.drum_class in HATS if at == striker else group is not None and drum.choke == group)
    )


def default_choke(drum_class: str) -> str | None:
    """Return the choke group of a class where nothing else is said."""
    return "hats" if drum_class in HATS else None

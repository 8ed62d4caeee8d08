"""Which pads are muted, which play alone, and whose drums are locked."""

from collections.abc import Iterable
from typing import Final

SWITCHES: Final = ("mute", "solo", "lock")


class Switches:
    """The switches of `SWITCHES` of all pads, by their names."""

    def __init__(self) -> None:
        """Start with all off."""
        self._on: dict[str, set[str]] = {switch: set() for switch in SWITCHES}

    def has(self, switch: str, pad: str) -> bool:
        """Return whether a pad's switch is on."""
        return pad in self._on[switch]

    def turn(self, switch: str, pad: str, on: bool) -> None:
        """Turn a pad's switch on or off."""
        (self._on[switch].add if on else self._on[switch].discard)(pad)

    def clear(self) -> None:
        """Turn all off."""
        for pads in self._on.values():
            pads.clear()

    def audible(self, pads: Iterable[str]) -> frozenset[str]:
        """Return which of these pads are audible."""
        names = set(pads)
        return frozenset((self._on["solo"] & names or names) - self._on["mute"])

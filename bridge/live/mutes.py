"""Which pads are muted, and which play alone."""

from collections.abc import Iterable


class Mutes:
    """The switches `mute` and `solo` of all pads, by their names."""

    def __init__(self) -> None:
        """Start with all pads audible."""
        self._on: dict[str, set[str]] = {"mute": set(), "solo": set()}

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

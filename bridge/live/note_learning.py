"""A pad that waits for the note that is to strike it."""

from collections.abc import Callable

from ghostnote.bridge.kit.kit import Kit, Pad


class NoteLearning:
    """Remembers which pad waits for a note; says what it waits for, and how that ends."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Wait for nothing; report through `say`."""
        self.pad = ""
        """The name of the pad that the next note will strike."""
        self._moves = False
        self._say = say

    def begin(self, pad: Pad, moves: bool) -> None:
        """Wait for a note for a pad: even the only one of another if it `moves`."""
        self.pad, self._moves = pad.name, moves
        self._say(f"waiting for the note that is to strike '{pad.name}'")

    def end(self, why: str) -> None:
        """Wait no more, without a note."""
        if self.pad:
            self._say(f"'{self.pad}' waits for no note any more: {why}")
        self.pad = ""

    def learned(self, kit: Kit, note: int) -> Kit | None:
        """Return the kit with a note at the pad that waits for it; None if it stays where it is."""
        name, self.pad = self.pad, ""
        changed = kit.with_note(name, note, self._moves) if name else None
        if changed:
            self._say(f"note {note} strikes '{name}' from now on")
        elif name:
            self._say(f"note {note} stays: it is the only one of its pad; learn with move = 1 takes it")
        return changed

"""What the user should know: notices, and what is wrong with which part since when."""

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from ghostnote.bridge.live.pad_parameters import Value

MOST_NOTICES: Final = 64
_MOST_LETTERS: Final = 400
_logger = logging.getLogger("ghostnote.bridge.live.session")

Listener = Callable[[str, tuple[Value, ...]], None]
"""Told of each change: its address below the root, and the new values."""


class Notices:
    """Tells the user and all listeners. Every method may be called from any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with nothing to say; `clock` says since when something is wrong."""
        self._clock = clock
        self.listeners: list[Listener] = []
        self.notices: deque[str] = deque(maxlen=MOST_NOTICES)
        """What the user should know, newest last."""
        self.troubles: dict[str, tuple[str, float]] = {}
        """What is wrong now: by the name of the part, what it is and since when, in `clock` seconds."""

    def say(self, text: str) -> None:
        """Tell the user something; what is not text in a file's name becomes question marks."""
        text = text.encode(errors="replace").decode()
        _logger.warning(text)
        self.notices.append(text)
        self.tell("notice", text[:_MOST_LETTERS])

    def trouble(self, part: str, what: str) -> None:
        """Note what is wrong with a part, and tell the user once; '' when all is well again."""
        if not what:
            self.troubles.pop(part, None)
            return
        if part not in self.troubles:
            self.say(f"{part}: {what}")
        self.troubles[part] = (what, self.troubles.get(part, ("", self._clock()))[1])

    def tell(self, address: str, *values: Value) -> None:
        """Tell the listeners of a change."""
        for listener in tuple(self.listeners):
            listener(address, values)

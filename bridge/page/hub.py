"""What all browsers show, and what of it a new one needs to know."""

import asyncio
import json
from typing import Any, Final

MOST_WAITING: Final = 512
"""Messages that wait for one browser; one that takes nothing for so long is let go."""
_PASSING: Final = ("played", "change", "error", "position")
"""Kinds of messages that are of the moment: a new browser does not get them."""


class Browser:
    """One page in a browser."""

    def __init__(self) -> None:
        """Start with nothing to send."""
        self.queue: asyncio.Queue[str | bytes] = asyncio.Queue(MOST_WAITING)
        self.wants_sound = False
        self.is_lost = False
        """Whether it did not take what it was sent."""

    def send(self, message: str | bytes) -> None:
        """Send a message when it can be sent."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.is_lost = True


class Hub:
    """Tells all browsers, and remembers the state."""

    def __init__(self) -> None:
        """Start without a browser."""
        self.browsers: set[Browser] = set()
        self.kit: dict[str, Any] = {}
        self.pads: dict[int, dict[str, Any]] = {}
        """The pads by their places, as the daemon described them."""
        self._latest: dict[str, str] = {}

    @property
    def wants_sound(self) -> bool:
        """Whether any browser plays the sound."""
        return any(browser.wants_sound for browser in self.browsers)

    def pad(self, slug: str) -> dict[str, Any] | None:
        """Return the pad of a name as it stands in addresses."""
        return next((pad for pad in self.pads.values() if pad["slug"] == slug), None)

    def join(self, browser: Browser) -> None:
        """Tell a browser the state, and from now on what changes."""
        self.browsers.add(browser)
        for text in self._latest.values():
            browser.send(text)

    def leave(self, browser: Browser) -> None:
        """Tell a browser no more."""
        self.browsers.discard(browser)

    def tell(self, message: dict[str, Any]) -> None:
        """Tell all browsers."""
        self.pass_on(message, json.dumps(message, separators=(",", ":")))

    def pass_on(self, message: dict[str, Any], text: str) -> None:
        """Tell all browsers a message whose text is at hand."""
        kind = message["type"]
        if kind == "kit":
            self.kit, self.pads = message, {}
            self._latest = {key: kept for key, kept in self._latest.items() if not key.startswith("pad/")}
        if kind == "pad":
            self.pads[message["at"]] = message
        if kind not in _PASSING:
            self._latest[f"pad/{message['at']}" if kind == "pad" else kind] = text
        for browser in self.browsers:
            browser.send(text)

    def pass_sound(self, data: bytes) -> None:
        """Send sound to the browsers that play it."""
        for browser in self.browsers:
            if browser.wants_sound and browser.queue.qsize() < MOST_WAITING // 2:
                browser.send(data)

"""What a browser may ask for over its WebSocket, as one table."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.page.exploring import Exploring
from ghostnote.bridge.page.hub import Browser, Hub
from ghostnote.bridge.page.line import DaemonLine
from ghostnote.bridge.page.player import GridPlayer

SWEEP: Final = (16, 40, 64, 84, 104, 122)
"""Velocities of an audition from soft to hard: those at which strokes are made."""

_SWEEP_SECONDS: Final = 0.3
_START_SECONDS: Final = 0.03
_MOST_ARGUMENTS: Final = 4


class Commands:
    """Does what browsers ask for."""

    def __init__(self, hub: Hub, line: DaemonLine, player: GridPlayer, exploring: Exploring) -> None:
        """Act on these."""
        self._hub, self._line, self._player = hub, line, player
        self._table: dict[str, Callable[[Browser, Any], None]] = {
            "osc": self._osc,
            "sweep": self._sweep,
            "grid": lambda _, change: self._player.change(_table(change)),
            "play": lambda _, on: self._player.play(bool(on)),
            "sound": self._sound,
            "explore": lambda _, wish: exploring.start(_table(wish)),
            "near": lambda _, number: exploring.near(str(number)),
            "clear_map": lambda _, on: exploring.clear(),
            "ping": lambda browser, value: browser.send(json.dumps({"type": "pong", "value": value})),
        }

    def do(self, browser: Browser, text: str) -> None:
        """Carry out a message; its browser gets what is wrong with it."""
        try:
            for name, value in _table(json.loads(text)).items():
                if name not in self._table:
                    raise InputError(f"{name[:80]!r} is not what a page can ask for")
                self._table[name](browser, value)
        except (InputError, ValueError) as error:
            browser.send(json.dumps({"type": "error", "address": "", "reason": str(error)}))

    def _osc(self, browser: Browser, message: object) -> None:
        if not isinstance(message, list) or not message or not isinstance(message[0], str):
            raise InputError("osc takes a list of an address and its arguments")
        if len(message) > _MOST_ARGUMENTS:
            raise InputError(f"osc takes at most {_MOST_ARGUMENTS - 1} arguments")
        if not self._line.is_open:
            raise InputError("the daemon is not there: start it with 'ghostnote live'")
        self._line.send(message[0], *message[1:])

    def _sweep(self, browser: Browser, slug: object) -> None:
        if self._hub.pad(str(slug)) is None:
            raise InputError(f"there is no pad {str(slug)[:80]!r}")
        now = time.time() + _START_SECONDS
        self._line.strike([(str(slug), velocity, now + n * _SWEEP_SECONDS) for n, velocity in enumerate(SWEEP)])

    def _sound(self, browser: Browser, on: object) -> None:
        browser.wants_sound = bool(on)
        self._line.tend()


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError("a message is a table of what is asked for")
    return value

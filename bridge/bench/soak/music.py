"""What plays meanwhile: sixteenths over TCP, each note of which can be found again in a take; and noise beside it."""

import contextlib
import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from ghostnote.bridge.bench.live import PADS, TEMPO_BPM
from ghostnote.bridge.bench.soak.fuzz import fuzzed

VELOCITIES: Final = (113, 71, 93, 77)
"""Nothing else plays at these."""
_GONE_SECONDS: Final = 4.0
_AGAIN_SECONDS: Final = 0.2
_TICK_SECONDS: Final = 0.005
_GARBAGE_A_SECOND: Final = 2.0
_HOST: Final = "127.0.0.1"


class Player:
    """Something that sends from a thread of its own until its block ends. A context manager."""

    def __init__(self, send: Callable[["Player"], None]) -> None:
        """Let `send` run."""
        self.ending = threading.Event()
        self.sent = 0
        self.broken = 0
        """How often a line broke."""
        self._thread = threading.Thread(target=send, args=(self,), daemon=True)

    def __enter__(self) -> "Player":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.ending.set()
        self._thread.join(2 * _GONE_SECONDS)


def notes(port: int, pads: tuple[int, ...] = PADS) -> Player:
    """Return a player of sixteenths on these pads."""
    return Player(lambda player: _over_tcp(player, port, 60 / TEMPO_BPM / 4, _chords(pads)))


def garbage(port: int) -> Player:
    """Return a player of random MIDI bytes on a line of its own, none of which is a velocity of the music."""
    return Player(lambda player: _over_tcp(player, port, 1 / _GARBAGE_A_SECOND, _noise()))


def fuzz(port: int, packets_a_second: float) -> Player:
    """Return a player of random OSC packets."""
    return Player(lambda player: _fuzz(player, port, packets_a_second))


def _chords(pads: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:
    for velocity in itertools.cycle(VELOCITIES):
        yield len(pads), b"".join(bytes((0x99, note, velocity)) for note in pads)


def _noise() -> Iterator[tuple[int, bytes]]:
    draw = random.Random(1)
    while True:
        yield 1, draw.randbytes(draw.randint(1, 24)).translate(None, bytes(VELOCITIES)) + b"\xf7"


def _over_tcp(player: Player, port: int, step: float, packets: Iterator[tuple[int, bytes]]) -> None:
    due = time.monotonic()
    while not player.ending.is_set():
        try:
            with socket.create_connection((_HOST, port), _GONE_SECONDS) as line:
                for count, data in packets:
                    line.sendall(data)
                    player.sent += count
                    due += step
                    if player.ending.wait(max(0.0, due - time.monotonic())):
                        return
        except OSError:
            # The daemon hung up, or is too busy to answer: the measurements tell, and the music goes on.
            player.broken += 1
            time.sleep(_AGAIN_SECONDS)


def _fuzz(player: Player, port: int, packets_a_second: float) -> None:
    draw, began = random.Random(2), time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        while not player.ending.wait(_TICK_SECONDS):
            while player.sent < (time.monotonic() - began) * packets_a_second:
                with contextlib.suppress(OSError):
                    line.sendto(fuzzed(draw), (_HOST, port))
                player.sent += 1

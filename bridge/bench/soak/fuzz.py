"""Packets that no program should send: noise, floods, and messages that mean everything."""

import random
import time
from typing import Final

from ghostnote.bridge.live.osc.addresses import ADDRESSES, PAD
from ghostnote.bridge.live.osc.codec import bundle, pack
from ghostnote.bridge.live.osc.subscribers import ROOT

_SPARED: Final = ("quit", "kit/load", "kit/save")
"""What would rightly end the music; muting and soloing would too."""
_FLOOD_PACKETS: Final = 53
_FLOOD_NOTES: Final = 39
_BUNDLES: Final = 100
_WILDCARDS: Final = 35


def fuzzed(draw: random.Random) -> bytes:
    """Return a packet that no program should send."""
    kind = draw.randrange(4)
    if kind == 0:
        return draw.randbytes(draw.randint(1, 200))
    known = draw.choice(ADDRESSES).path.replace(PAD, draw.choice(("kick", "*", "snare", "[!a]*", "{x,y}")))
    if known in _SPARED or known.endswith(("/mute", "/solo")):
        known = "ping"
    values = [draw.choice((0, 1, -1, 0.5, 1e30, float("nan"), True, "kick", "", "x" * 50, 127, 2**31 - 1))
              for _ in range(draw.randint(0, 4))]  # fmt: skip
    message = pack(f"{ROOT}/{known}", tuple(values))
    if kind == 1:
        return message
    if kind == 2:
        return bundle(draw.choice((None, time.time() + draw.uniform(-5, 100), 1e9)), message, message)
    damaged = bytearray(bundle(None, message))
    for _ in range(draw.randint(1, 6)):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged[: draw.randint(1, len(damaged))])


def future_notes(seconds: float) -> list[bytes]:
    """Return packets of 2,067 notes that are due so much later."""
    note = pack(f"{ROOT}/note", (37, 1))
    return [bundle(time.time() + seconds, *(note,) * _FLOOD_NOTES)] * _FLOOD_PACKETS


def wildcards() -> list[bytes]:
    """Return 100 bundles of 35 messages, each of which means hundreds of addresses."""
    message = pack(f"{ROOT}/pad/*/*", ())
    return [bundle(None, *(message,) * _WILDCARDS)] * _BUNDLES

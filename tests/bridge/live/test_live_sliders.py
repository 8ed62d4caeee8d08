"""Sliders of a pad's drum over OSC: set, answered, announced, played and saved."""

from pathlib import Path
from typing import Any

import pytest
from live_fakes import KIT, RATE, fill

from ghostnote.bridge.dsp.sliders import MOST, Sliders
from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.live.osc.call import Services
from ghostnote.bridge.live.osc.codec import TimedMessage
from ghostnote.bridge.live.osc.dispatcher import Dispatcher, WorkBudget
from ghostnote.bridge.live.osc.subscribers import Peer, Subscribers
from ghostnote.bridge.live.session import Session

PEER = ("127.0.0.1", 7770)
Message = tuple[str, tuple[Any, ...]]


class Replies(Subscribers):
    """Keeps what is replied."""

    def __init__(self) -> None:
        self.replied: list[Message] = []

    def reply(self, peer: Peer, name: str, values: tuple[Any, ...]) -> None:
        self.replied.append((name, values))


class Desk:
    """A session and what carries out messages to it."""

    def __init__(self, kits: Path) -> None:
        self.session, self._replies, self.changes = Session(KIT, RATE, kits, limiter=False), Replies(), list[Message]()
        self.session.listeners.append(lambda name, values: self.changes.append((name, values)))
        services = Services(self.session, self._replies, dict, lambda _: False)
        self._dispatcher = Dispatcher(services, WorkBudget(1e6, 1e6))
        fill(self.session.pool)

    def send(self, address: str, *values: Any) -> list[Message]:
        """Carry out a message and return what is replied."""
        self._replies.replied.clear()
        self._dispatcher.do(TimedMessage(None, f"/ghostnote/{address}", values), 0.0, PEER)
        return list(self._replies.replied)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_slider_is_set_announced_answered_and_taken_back(desk: Desk) -> None:
    assert desk.send("pad/snare_drum/bright", 0.5) == []
    assert desk.send("pad/snare_drum/bright") == [("pad/snare_drum/bright", (0.5,))]
    assert desk.send("pad/snare_drum/longer", 1) == []
    assert desk.session.kit.pads[1].sliders == Sliders(bright=0.5, longer=1.0)
    assert desk.session.kit.pads[0].sliders == Sliders()
    for name in ("bright", "longer"):
        desk.send(f"pad/snare_drum/{name}", 0)
    assert desk.session.kit.pads == KIT.pads
    assert desk.changes == [(f"pad/snare_drum/{name}", (value,)) for name, value in
                         (("bright", 0.5), ("longer", 1.0), ("bright", 0.0), ("longer", 0.0))]  # fmt: skip


def test_the_pool_of_that_pad_alone_is_filled_anew(desk: Desk) -> None:
    queues = desk.session.pool.queues
    desk.send("pad/snare_drum/punch", -1.0)
    assert [queue.generation for queue in queues] == [0, 1, 0, 0]
    fill(desk.session.pool)
    assert {hit.pad.punch for waiting in queues[1].fresh for hit in waiting} == {-1.0}


def test_a_locked_drum_takes_sliders_as_it_takes_other_knobs(desk: Desk) -> None:
    desk.send("pad/kick/lock", 1)
    assert desk.send("pad/kick/warm", 1) == []
    assert desk.send("pad/kick/warm") == [("pad/kick/warm", (1.0,))]


@pytest.mark.parametrize(
    ("address", "value", "words"),
    [
        ("pad/kick/rough", 2.5, "rough = 2.5, but it must be a number from -2 to 2"),
        ("pad/kick/rough", "very", "rough = 'very', but it must be a number"),
        ("pad/kick/rough", float("nan"), "rough = nan, but it must be a number from -2 to 2"),
        ("pad/kick/shiny", 1.0, "there is no such address; 'ghostnote osc' lists all"),
    ],
)
def test_a_wrong_value_is_replied_with_its_rule(desk: Desk, address: str, value: Any, words: str) -> None:
    assert desk.send(address, value) == [("error", (f"/ghostnote/{address}", words))]
    assert desk.session.kit.pads == KIT.pads


def test_sliders_are_saved_and_loaded(desk: Desk, tmp_path: Path) -> None:
    desk.send("pad/hat/tighter", MOST)
    desk.send("kit/save", "mine")
    assert load_kit(tmp_path / "mine.toml").pads == desk.session.kit.pads
    desk.send("pad/hat/tighter", 0)
    desk.send("kit/load", "mine")
    assert desk.send("pad/hat/tighter") == [("pad/hat/tighter", (MOST,))]

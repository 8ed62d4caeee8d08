from threading import Event

import numpy as np
from live_fakes import KIT

from ghostnote.bridge.inference.variation import StrokeKey
from ghostnote.bridge.plugin.memory import PoolMemory
from ghostnote.bridge.plugin.stroke_makers import StrokeMakers


class Held:
    """A source that makes nothing until it may, and keeps the order."""

    def __init__(self):
        self.may, self.order, self.began = Event(), [], Event()

    def open(self):
        return self

    def strokes(self, pad, keys):
        self.began.set()
        assert self.may.wait(30)
        self.order.append([key.index for key in keys])
        return [np.full((2, 4), key.index, np.float32) for key in keys]


def keys(*numbers):
    return [StrokeKey(number, 64) for number in numbers]


def test_what_is_waited_for_comes_before_what_is_foreseen():
    source, troubles = Held(), []
    with StrokeMakers(source, 1, troubles.append) as makers:
        first = makers.make(KIT.pads[0], keys(0))
        assert source.began.wait(30)
        foreseen = makers.make(KIT.pads[0], keys(1, 2), is_foreseen=True)
        later = makers.make(KIT.pads[0], keys(3), is_foreseen=True)
        asked = makers.make(KIT.pads[0], keys(4))
        makers.hurry(later[0])
        source.may.set()
        strokes = [stroke.result(30) for stroke in (*first, *foreseen, *later, *asked)]
    assert source.order == [[0], [4], [3], [1, 2]]
    assert [int(audio[0, 0]) for audio in strokes] == [0, 1, 2, 3, 4]
    assert troubles == []


def test_a_stroke_that_cannot_be_made_is_none_and_said():
    class Broken(Held):
        def strokes(self, pad, keys):
            return [np.full((2, 4), np.nan, np.float32) for _ in keys]

    troubles = []
    with StrokeMakers(Broken(), 2, troubles.append) as makers:
        assert [stroke.result(30) for stroke in makers.make(KIT.pads[0], keys(0, 1))] == [None, None]
    assert "not numbers" in troubles[0]
    assert KIT.pads[0].name in troubles[0]


def test_a_slot_that_another_thread_gave_away_again_stays_given(monkeypatch):
    memory = PoolMemory(KIT, 48_000, [0] * len(KIT.pads))
    sound = np.zeros((1, 5_000), np.float32)
    slot, kept = memory.store(sound, 64), []
    memory.slots["freed"][slot] = 1

    class SeenBefore:
        def tolist(self):
            yield slot
            kept.append(memory.store(sound, 64))
            yield slot

    with monkeypatch.context() as patch:
        patch.setattr(np, "flatnonzero", lambda _: SeenBefore())
        memory.collect()
    other = memory.store(sound, 64)
    assert kept == [slot]
    assert other != slot
    assert memory.slots["offset"][other] != memory.slots["offset"][slot]

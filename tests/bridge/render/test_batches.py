"""Several strokes of a pad go through the network at once; each is as it is by itself."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.inference.variation import ROWS
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.render.workers import Audio, Request, stroke_results

PADS = (
    Pad("Snare", (38,), "snare", seed=2),
    Pad("Wide", (46,), "open_hat", seed=4, width=0.5),
    Pad("Plain", (36,), "kick", seed=1, steps=0),
)
# A pad that comes more often than there are rows, one that comes once, and one between.
PLAYED = [0, 1, *[0] * ROWS, 2, 1, 0, 1]
REQUESTS = [Request(PADS[pad], index, 127 - 5 * index) for index, pad in enumerate(PLAYED)]


def made(model: Path, requests: list[Request], jobs: int) -> list[Audio]:
    return list(stroke_results(SourceSpec(model, 48_000), requests, jobs))


@pytest.fixture(scope="module")
def alone(tiny_onnx: Path) -> list[Audio]:
    source = SourceSpec(tiny_onnx, 48_000).open()
    return [source.stroke(request.pad, request.index, request.velocity) for request in REQUESTS]


@pytest.mark.parametrize("jobs", [1, 2])
def test_strokes_made_together_are_those_made_one_by_one(tiny_onnx: Path, alone: list[Audio], jobs: int) -> None:
    together = made(tiny_onnx, REQUESTS, jobs)
    assert len(together) == len(alone)
    assert all(map(np.array_equal, together, alone))


def test_the_order_of_a_song_does_not_change_its_strokes(tiny_onnx: Path, alone: list[Audio]) -> None:
    order = np.random.default_rng(0).permutation(len(REQUESTS))
    shuffled = made(tiny_onnx, [REQUESTS[place] for place in order], 1)
    assert all(np.array_equal(stroke, alone[place]) for place, stroke in zip(order, shuffled, strict=True))


class Counting:
    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def open(self) -> "Counting":
        return self

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        return np.full((2, 1), index, np.float32)

    def strokes(self, pad: Pad, keys: list) -> list[Audio]:
        self.batches.append([key.index for key in keys])
        return [self.stroke(pad, key.index, key.velocity) for key in keys]


def test_strokes_of_a_pad_are_made_together_whatever_lies_between() -> None:
    source = Counting()
    requests = [Request(PADS[index % 3], index, 100) for index in range(36)]
    assert [int(stroke[0, 0]) for stroke in stroke_results(source, requests, 1)] == list(range(36))
    assert [len(batch) for batch in source.batches] == [ROWS] * 3 + [4] * 3


def test_an_endless_song_is_looked_into_only_so_far() -> None:
    taken = 0

    def endless() -> Iterator[Request]:
        nonlocal taken
        for taken in itertools.count(1):
            yield Request(PADS[taken % 3], taken, 100)

    with closing(stroke_results(Counting(), endless(), 1)) as strokes:
        next(strokes)
    assert taken < 200

"""The model in the package, as it ships: no figure of quality, but nothing that sounds broken."""

import tracemalloc

import numpy as np
import pytest

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.inference.variation import Reference, StrokeKey, Variation, Variator


@pytest.fixture(scope="module")
def shipped():
    return Generator.open()


@pytest.mark.parametrize("drum_class", CLASS_NAMES)
def test_a_new_drum_and_its_next_stroke_sound(shipped, drum_class):
    drum = generate_drum(shipped, drum_class, 1)
    reference = Reference(drum[None], CLASS_NAMES.index(drum_class))
    for hit in (drum, Variator(shipped).next_stroke(reference, Variation(), index=0)[0]):
        assert np.isfinite(hit).all()
        head, tail = (float(np.sqrt(np.mean(part**2))) for part in (hit[:8820], hit[-2205:]))
        assert head > 0.01
        assert tail < head


@pytest.mark.parametrize("width", [0.0, 0.5])
def test_strokes_made_together_are_those_made_one_by_one(shipped, width):
    # Products of 8 bits are exact, so a row does not depend on its neighbours.
    reference, variation = Reference(generate_drum(shipped, "snare", 1)[None], 1), Variation(width=width)
    keys = [StrokeKey(index, 127 - 20 * index) for index in range(5)]
    together = Variator(shipped).next_strokes(reference, keys, variation)
    alone = (
        Variator(shipped).next_stroke(reference, variation, index=key.index, velocity=key.velocity) for key in keys
    )
    assert all(map(np.array_equal, together, alone))


def test_an_open_model_does_not_keep_its_file_in_memory():
    tracemalloc.start()
    try:
        opened = Generator.open()
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert opened.card.hit_frames
    assert held < most / 10

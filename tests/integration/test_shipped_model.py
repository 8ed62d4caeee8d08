"""The model in the package, as it ships: no figure of quality, but nothing that sounds broken."""

import tracemalloc

import numpy as np
import pytest

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.inference.variation import Reference, Variation, Variator


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


def test_an_open_model_does_not_keep_its_file_in_memory():
    tracemalloc.start()
    try:
        opened = Generator.open()
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert opened.card.hit_frames
    assert held < most / 10

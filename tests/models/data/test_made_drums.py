import numpy as np

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.kinds import kinds_of
from ghostnote.models.data.made_drums import FIRST_SEED, made_drums


def test_each_class_has_its_drums():
    drums = made_drums(2, 1)
    assert list(drums) == list(CLASS_NAMES)
    for first, second in drums.values():
        assert np.isfinite(first).all()
        assert np.abs(first).max() > 0.1
        assert not np.array_equal(first, second)


def test_drums_are_of_the_kinds_of_their_class_in_turn():
    drums, generator = made_drums(3, 1), Generator.open()
    _, first, second = drums["perc"]
    for number, (drum, kind) in enumerate(zip((first, second), kinds_of("perc"), strict=False), 1):
        np.testing.assert_array_equal(drum, generate_drum(generator, "perc", FIRST_SEED + number, kind=kind))

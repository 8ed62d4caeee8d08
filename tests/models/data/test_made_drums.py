import numpy as np

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.made_drums import made_drums


def test_each_class_has_its_drums():
    drums = made_drums(2, 1)
    assert list(drums) == list(CLASS_NAMES)
    for first, second in drums.values():
        assert np.isfinite(first).all()
        assert np.abs(first).max() > 0.1
        assert not np.array_equal(first, second)

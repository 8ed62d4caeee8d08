from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge import strokes
from ghostnote.bridge.kits.kit import Pad
from ghostnote.bridge.strokes import SourceSpec


def pad(seed: int) -> Pad:
    return Pad("Snare", (38,), "snare", seed=seed)


def test_the_drums_last_asked_for_are_kept_and_forgotten_ones_come_back_the_same(
    tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strokes, "MOST_REFERENCES", 2)
    source = SourceSpec(tiny_onnx, 48_000).open()
    first, second = source.reference(pad(1)), source.reference(pad(2))
    assert source.reference(pad(1)) is first
    source.reference(pad(3))
    assert source.reference(pad(1)) is first
    again = source.reference(pad(2))
    assert again is not second
    np.testing.assert_array_equal(again.audio, second.audio)

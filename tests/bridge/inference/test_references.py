from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.inference import stroke_source
from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.kit.kit import Pad


def pad(seed: int) -> Pad:
    return Pad("Snare", (38,), "snare", seed=seed)


def weight(model: Path, drum: Pad) -> int:
    """Return the bytes that a drum takes once it was struck."""
    source = SourceSpec(model, 48_000).open()
    source.stroke(drum, 0, 100)
    return source.bytes_held


def test_recently_used_drums_are_kept_and_closed_ones_come_back_the_same(
    tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SourceSpec(tiny_onnx, 48_000).open()
    for seed in (1, 2, 3):
        source.reference(pad(seed))
    # Drums differ a little in size: without any one of the three the others fit.
    monkeypatch.setattr(stroke_source, "MOST_BYTES", source.bytes_held - 1)
    source = SourceSpec(tiny_onnx, 48_000).open()
    first, second = source.reference(pad(1)), source.reference(pad(2))
    assert source.reference(pad(1)) is first
    source.reference(pad(3))
    assert source.reference(pad(1)) is first
    again = source.reference(pad(2))
    assert again is not second
    np.testing.assert_array_equal(again.audio, second.audio)


def test_rerolling_all_night_holds_no_more_than_the_bound(tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = 3 * weight(tiny_onnx, pad(1))
    monkeypatch.setattr(stroke_source, "MOST_BYTES", bound)
    source = SourceSpec(tiny_onnx, 48_000).open()
    held = []
    for seed in range(12):
        for width in (0.0, 0.5):
            source.stroke(replace(pad(seed), width=width), 0, 100)
            held.append(source.bytes_held)
    assert bound / 2 < max(held) <= bound


def test_a_drum_that_is_beyond_the_bound_by_itself_is_played_and_kept(
    tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stroke_source, "MOST_BYTES", 1)
    source = SourceSpec(tiny_onnx, 48_000).open()
    assert source.stroke(pad(1), 0, 100).any()
    assert source.reference(pad(1)) is source.reference(pad(1))


def test_of_the_same_drum_on_both_sides_only_the_partials_are_held_twice(tiny_onnx: Path) -> None:
    assert weight(tiny_onnx, replace(pad(1), width=0.5)) < 1.6 * weight(tiny_onnx, pad(1))

"""What a million hits would take: the reckoned figures follow from the measured ones."""

import pytest

from ghostnote.export.benchmark import scale


def test_what_is_reckoned_follows_from_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in (("_DRUMS", 1), ("_STROKES", 2), ("_BATCH", 4), ("_STEPS", 1)):
        monkeypatch.setattr(scale, name, small)
    found = {measurement.key: measurement.value for measurement in scale.measure()}
    # A hit and its residual, 32,768 frames of 4 bytes each.
    assert found["held_kb"] == pytest.approx(2 * 32_768 * 4 / 1e3)
    assert found["scale_memory_gb"] == pytest.approx(found["held_kb"] * scale.HITS / 1e6)
    assert found["scale_storage_gb"] == pytest.approx(found["stored_kb"] * scale.HITS / 1e6)
    # The network alone is 0.3 GFLOP or more, forward, and backward takes twice that.
    assert 0.9 < found["training_gflop"] < 10
    seconds = scale.HITS * scale.PASSES / found["scale_rate"] / scale.GPUS
    assert found["scale_hours"] == pytest.approx(seconds / 3600)
    assert found["scale_dollars"] == pytest.approx(found["scale_hours"] * scale.GPUS * scale.GPU_HOUR_DOLLARS)
    assert found["scale_state_mb"] == pytest.approx(4 * found["scale_gradients_mb"])
    assert found["training_hits_per_second"] > 0

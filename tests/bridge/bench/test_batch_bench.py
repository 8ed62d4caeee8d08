from pathlib import Path

import pytest
from batch_fakes import Spec

from ghostnote.bridge.batch.humanize import local_pool
from ghostnote.bridge.bench.batch import bare_rate, batch_rate, weigh, write_hits


def test_a_batch_s_rate_is_measured_without_its_start(tmp_path: Path, tiny_onnx: Path) -> None:
    hits = write_hits(tmp_path / "hits", 4)
    assert len(hits) == 4
    # Strokes of 20 ms, at best; a machine that stands still makes them slower.
    assert 0 < batch_rate(Spec(slow=True), hits, tmp_path / "out", local_pool(1)) < 50
    assert bare_rate(tiny_onnx, 4, 1) > 0


def test_memory_is_flat_over_many_files() -> None:
    pytest.importorskip("resource")
    early, late = weigh(None, 120, Spec())
    # Where a process was larger before, the system gives its peak a little less exactly.
    assert early > 20
    assert abs(late - early) < 5

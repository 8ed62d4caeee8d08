import time

import pytest

from ghostnote.bridge.bench.cpu_stalls import CpuStallMonitor, excused, overlap


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 0.0),
        ([(0.0, 0.9), (2.1, 3.0)], 0.0),
        ([(1.2, 1.3), (1.5, 1.7)], 0.3),
        ([(0.0, 1.5), (1.4, 1.6)], 0.6),
        ([(1.1, 1.9), (1.2, 1.3)], 0.8),
        ([(0.0, 9.0)], 1.0),
    ],
)
def test_stalls_count_once_and_only_within_the_span(spans: list[tuple[float, float]], seconds: float) -> None:
    assert overlap((1.0, 2.0), spans) == pytest.approx(seconds)


def test_a_late_block_is_excused_by_as_much_as_the_machine_stood_still() -> None:
    late = (1.0, 1.008)
    assert excused(late, 0.005, [(1.001, 1.0045)])
    assert not excused(late, 0.005, [(1.001, 1.0035)])
    assert not excused(late, 0.005, [])


def test_the_watch_sees_stalls_in_the_time_of_the_others() -> None:
    began = time.perf_counter()
    with CpuStallMonitor() as monitor:
        time.sleep(0.5)
    assert time.perf_counter() - began < 120
    for begin, end in monitor.spans:
        assert began < begin < end < time.perf_counter()

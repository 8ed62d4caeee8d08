import time

import pytest

from ghostnote.bridge.devices.xrun_monitor import STEP_SECONDS, Histogram, XrunMonitor


def test_durations_tell_what_share_stayed_within_what() -> None:
    histogram = Histogram()
    assert histogram.within(0.5) == 0.0
    for milliseconds in range(1, 11):
        histogram.add(milliseconds / 1000)
    assert histogram.within(0.5) == pytest.approx(0.005, abs=2 * STEP_SECONDS)
    assert histogram.within(1.0) == pytest.approx(0.010, abs=2 * STEP_SECONDS)
    histogram.add(-1.0)
    histogram.add(60.0)
    assert histogram.within(1.0) < 1.0


def test_later_durations_are_told_without_the_earlier_ones() -> None:
    before, now = Histogram(), Histogram()
    for histogram in (before, now):
        histogram.add(0.05)
    now.add(0.001)
    assert now.since(before).within(1.0) == pytest.approx(0.001, abs=2 * STEP_SECONDS)
    assert now.since(now).within(1.0) == 0.0


def test_a_block_is_late_when_it_is_done_after_its_time_whoever_was_to_blame() -> None:
    xruns = XrunMonitor()
    now = time.perf_counter()
    xruns.enter(now)
    xruns.leave(now, 60.0)
    assert xruns.missed == 0
    xruns.enter(now - 120.0)
    xruns.leave(now - 120.0, 60.0)
    assert xruns.missed == 1
    (late,) = xruns.late
    assert late.began < late.entered <= late.done
    assert 0 <= late.worked < 60
    assert xruns.waits.within(0.5) < 60


def test_rendering_counts_as_work_only_while_a_processor_is_at_it() -> None:
    xruns = XrunMonitor()
    now = time.perf_counter()
    xruns.enter(now)
    time.sleep(0.05)
    xruns.leave(now, 60.0)
    assert xruns.renders.within(1.0) >= 0.05
    assert xruns.works.within(1.0) < 0.05

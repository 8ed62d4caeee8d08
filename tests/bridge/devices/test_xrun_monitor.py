import time

import pytest

from ghostnote.bridge.devices.xrun_monitor import STEP_SECONDS, Deadline, Durations


def test_durations_tell_what_share_stayed_within_what() -> None:
    durations = Durations()
    assert durations.within(0.5) == 0.0
    for milliseconds in range(1, 11):
        durations.add(milliseconds / 1000)
    assert durations.within(0.5) == pytest.approx(0.005, abs=2 * STEP_SECONDS)
    assert durations.within(1.0) == pytest.approx(0.010, abs=2 * STEP_SECONDS)
    durations.add(-1.0)
    durations.add(60.0)
    assert durations.within(1.0) < 1.0


def test_later_durations_are_told_without_the_earlier_ones() -> None:
    before, now = Durations(), Durations()
    for durations in (before, now):
        durations.add(0.05)
    now.add(0.001)
    assert now.since(before).within(1.0) == pytest.approx(0.001, abs=2 * STEP_SECONDS)
    assert now.since(now).within(1.0) == 0.0


def test_a_block_is_late_when_it_is_done_after_its_time_whoever_was_to_blame() -> None:
    deadline = Deadline()
    now = time.perf_counter()
    deadline.enter(now)
    deadline.leave(now, 60.0)
    assert deadline.missed == 0
    deadline.enter(now - 120.0)
    deadline.leave(now - 120.0, 60.0)
    assert deadline.missed == 1
    (late,) = deadline.late
    assert late.began < late.entered <= late.done
    assert 0 <= late.worked < 60
    assert deadline.waits.within(0.5) < 60


def test_rendering_counts_as_work_only_while_a_processor_is_at_it() -> None:
    deadline = Deadline()
    now = time.perf_counter()
    deadline.enter(now)
    time.sleep(0.05)
    deadline.leave(now, 60.0)
    assert deadline.renders.within(1.0) >= 0.05
    assert deadline.works.within(1.0) < 0.05

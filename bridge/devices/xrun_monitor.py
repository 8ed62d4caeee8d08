"""Whether blocks come in time, and what their time goes into."""

import time
from collections import deque
from typing import Final, NamedTuple

STEP_SECONDS: Final = 20e-6
"""The width of a step of a histogram."""

_STEPS: Final = 5000
_MOST_LATE: Final = 1000


class LateBlock(NamedTuple):
    """A block that came too late, in `perf_counter` seconds."""

    began: float
    """When it began."""
    entered: float
    """When its rendering did: until then the machine, or the interpreter's lock, kept it waiting."""
    done: float
    """When it was there."""
    worked: float
    """For how many seconds a processor worked on it."""


class Histogram:
    """How often something took how long; it never grows."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._counts = [0] * _STEPS

    def add(self, seconds: float) -> None:
        """Count one; what took longer than all steps counts as the last."""
        self._counts[max(0, min(int(seconds / STEP_SECONDS), _STEPS - 1))] += 1

    def since(self, before: "Histogram") -> "Histogram":
        """Return those that came after `before`, an earlier copy of this one."""
        later = Histogram()
        later._counts = [now - then for now, then in zip(self._counts, before._counts, strict=True)]
        return later

    def within(self, share: float) -> float:
        """Return the seconds that this share of them took at most, rounded up to a step; 0 when there are none."""
        reached, all_of_them = 0, sum(self._counts)
        for step, count in enumerate(self._counts):
            reached += count
            if all_of_them and reached >= share * all_of_them:
                return (step + 1) * STEP_SECONDS
        return 0.0


class XrunMonitor:
    """Counts the blocks that come too late, remembers the last of them, and how long blocks take.

    All of it belongs to the audio thread, which calls `enter` before a block is rendered and `leave` after it.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.missed = 0
        self.late: deque[LateBlock] = deque(maxlen=_MOST_LATE)
        self.waits = Histogram()
        """From a block's begin to that of its rendering: the machine's and the interpreter's part."""
        self.renders = Histogram()
        """From there until it is rendered."""
        self.works = Histogram()
        """What of this a processor really worked on it: the program's own part."""
        self._entered = self._worked = 0.0

    def enter(self, began: float) -> None:
        """Begin to render the block that began at `began`."""
        self._entered, self._worked = time.perf_counter(), time.thread_time()
        self.waits.add(self._entered - began)

    def leave(self, began: float, seconds: float) -> None:
        """Look at a block that is done now and had `seconds` from `began` on."""
        now, worked = time.perf_counter(), time.thread_time() - self._worked
        self.renders.add(now - self._entered)
        self.works.add(worked)
        if now - began > seconds:
            self.missed += 1
            self.late.append(LateBlock(began, self._entered, now, worked))

"""Watches a daemon's status during a soak: it has to name each trouble that was provoked, and no other."""

import re
import time
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ghostnote.bridge.bench.rig import Daemon
from ghostnote.bridge.live.pad_parameters import Value

NAMED_SECONDS: Final = 37.0
"""A trouble has to be named by then: on a slow machine a take is saved every half minute alone."""
GONE_SECONDS: Final = 37.0
"""So long after its end it must not be named any more: what has to be tried again is tried after a pause."""

RECOVERY_SECONDS: Final = 10.0
"""After the last trouble, until memory is as it will stay."""
_TIME: Final = re.compile(r" \(for \d+ s\)")
_LONGEST: Final = 100


class Sample(NamedTuple):
    """The status at one moment."""

    at: float
    memory_mb: float
    pool_mb: float
    trouble: str
    is_kit_true: bool


@dataclass
class _Span:
    """When a trouble was there."""

    name: str
    part: str
    """The part of the program that has it."""
    lasts: bool
    """Whether it is there until it is taken back; the program may get out of any other."""
    began: float
    ended: float = float("inf")

    def covers(self, at: float) -> bool:
        """Return whether it may be named then."""
        return self.began <= at < self.ended + GONE_SECONDS


@dataclass
class Watch:
    """What a daemon said all along."""

    daemon: Daemon
    samples: list[Sample] = field(default_factory=list)
    spans: list[_Span] = field(default_factory=list)
    most_waiting: int = 0
    """The most notes that waited for their time."""
    notices: dict[str, None] = field(default_factory=dict)
    """All that the user was informed of, in the order of its coming."""

    def look(self) -> dict[str, Value]:
        """Ask for the status and keep what counts of it."""
        status = self.daemon.ask()
        lost = "; device: lost" if status["device_lost"] else ""
        self.most_waiting = max(self.most_waiting, int(status["waiting"]))
        kits = status["kit"] == status["playing"]
        self.samples.append(Sample(time.monotonic(), float(status["memory_mb"]), float(status["pool_mb"]),
                                   f"{status['trouble']}{lost}", kits))  # fmt: skip
        self.notices |= dict.fromkeys(str(status["notices"]).splitlines())
        return status

    def began(self, name: str, part: str, lasts: bool = True) -> None:
        """Note that a part of the program is in trouble from now; '' where none is."""
        if part:
            self.spans.append(_Span(name, part, lasts, time.monotonic()))

    def ended(self, name: str) -> None:
        """Note that this trouble is over."""
        for span in self.spans:
            if span.name == name:
                span.ended = min(span.ended, time.monotonic())

    @property
    def seconds_quiet(self) -> float:
        """How long it is since the last trouble was taken back."""
        return time.monotonic() - max((span.ended for span in self.spans), default=0.0)

    def grown_mb(self) -> float:
        """Return how far the most memory beside the pool after the last trouble is above that before the first."""
        first, last = min(span.began for span in self.spans), max(span.ended for span in self.spans) + RECOVERY_SECONDS
        before = [s.memory_mb - s.pool_mb for s in self.samples if s.at < first]
        after = [s.memory_mb - s.pool_mb for s in self.samples if s.at >= last]
        return max(after) - max(before)

    @property
    def is_calm(self) -> bool:
        """Whether nothing is named, or nothing may be any more."""
        is_settled = not any(span.covers(time.monotonic()) for span in self.spans)
        return is_settled or not (self.samples and self.samples[-1].trouble)

    def untruths(self) -> list[str]:
        """Return what the status kept back, said too long, or said without a cause."""
        found = [text for span in self.spans for text in self._untruths_of(span)]
        causeless = dict.fromkeys(
            _TIME.sub("", s.trouble)[:_LONGEST] for s in self.samples if s.trouble and not self._is_caused(s)
        )
        pairs = zip(self.samples, self.samples[1:], strict=False)
        wrong_kit = any(not (first.is_kit_true or second.is_kit_true) for first, second in pairs)
        return [*found, *(f"without a cause: {text}" for text in causeless), *["it names another kit"] * wrong_kit]

    def _untruths_of(self, span: _Span) -> list[str]:
        part = f"{span.part}:"
        named = [s.at for s in self.samples if part in s.trouble and span.covers(s.at)]
        if not named:
            return [f"{span.name} is not named at all"]
        late = named[0] - span.began
        found = [f"{span.name} is named after {late:.1f} s"] if late > NAMED_SECONDS else []
        if span.lasts and any(named[0] < s.at < span.ended and part not in s.trouble for s in self.samples):
            found.append(f"{span.name} is not named all the time")
        return found

    def _is_caused(self, sample: Sample) -> bool:
        """Return whether something is provoked: without file handles, a take cannot be saved either."""
        return any(span.covers(sample.at) for span in self.spans)

"""A process that makes strokes for the pool, as the one that fills it sees it."""

import contextlib
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory

from ghostnote.bridge.live.pool import StrokeRequest


@dataclass
class PoolProcess:
    """A process, its end of the line, and its part of the shared memory: one place for each request."""

    number: int
    memory: SharedMemory
    process: BaseProcess | None = None
    line: Connection | None = None
    requests: dict[int, StrokeRequest] = field(default_factory=dict)
    is_started: bool = False
    last_reply: float = 0.0
    started: float = 0.0
    deaths: int = 0
    trouble: str = ""
    restart_at: float = 0.0

    def silent_seconds(self, now: float) -> float:
        """Return for how long an answer has been due: that it is open, or the next stroke of those requested."""
        if not self.line or (self.last_reply and not self.requests):
            return 0.0
        return now - (self.last_reply or self.started)

    def close(self) -> None:
        """End the process, and the line to it."""
        if self.line:
            self.line.close()
            self.line = None
        if self.process:
            self.process.join(0.3)
            if self.process.is_alive():
                self.process.kill()
                self.process.join(0.5)
            with contextlib.suppress(ValueError):
                # On a machine that is busy enough even a killed process takes its time.
                self.process.close()
            self.process = None

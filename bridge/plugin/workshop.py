"""What makes the strokes of all plugins that play at one rate."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.live.pool_filler import PoolFiller
from ghostnote.bridge.plugin.bounce import Bouncer
from ghostnote.bridge.plugin.instance import Instance
from ghostnote.bridge.plugin.pool import SharedPool
from ghostnote.bridge.render.workers import Spec


@dataclass(frozen=True)
class ServerSettings:
    """How the daemon serves."""

    spec: Callable[[int], Spec]
    """What opens the source of strokes at a rate."""
    kits: Path
    """The folder of the kits that plugins choose by number."""
    processes: int | None = None
    """How many processes make strokes for each rate; None chooses."""
    idle_seconds: float | None = None
    """End when no plugin has been there for so long; None never."""


class Workshop:
    """What makes strokes at one rate."""

    def __init__(self, settings: ServerSettings, rate: int) -> None:
        """Start the processes and threads."""
        self.pool = SharedPool(lambda: any(instance.is_bouncing for instance in self.instances))
        self.instances: tuple[Instance, ...] = ()
        self.used_at = time.monotonic()
        self._stack = ExitStack()
        spec = settings.spec(rate)
        self.filler = self._stack.enter_context(PoolFiller(self.pool, spec, rate, settings.processes))
        self.bouncer = self._stack.enter_context(Bouncer(spec))

    def use(self, instances: tuple[Instance, ...]) -> None:
        """Serve these plugins from now on."""
        if instances:
            self.used_at = time.monotonic()
        if instances != self.instances:
            self.instances = self.bouncer.instances = instances
            self.pool.queues = tuple(queue for instance in instances for queue in instance.queues)

    def close(self) -> None:
        """End them."""
        self._stack.close()

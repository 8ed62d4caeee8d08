"""Threads that go on whatever goes wrong in one of their turns."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

PAUSE_SECONDS: Final = 0.5
"""From a turn that failed to the next."""
_WELL_SECONDS: Final = 1.0
"""What failed is well again when nothing has failed for so long."""

_logger = logging.getLogger(__name__)


def supervised(
    turn: Callable[[], object], stopping: threading.Event, trouble: Callable[[str], None], pause: float = PAUSE_SECONDS
) -> None:
    """Call `turn` until the event is set; tell `trouble` each time what it raised, and '' when all is well again."""
    failed = 0.0
    while not stopping.is_set():
        try:
            turn()
        except Exception as error:  # as too few file handles, or memory: what can go on goes on
            failed = time.monotonic()
            _logger.exception("%s goes on after an error", threading.current_thread().name)
            trouble(str(error) or repr(error))
            stopping.wait(pause)
        else:
            if failed and time.monotonic() - failed > _WELL_SECONDS:
                failed = 0.0
                trouble("")

"""What is put off to the thread that opened the session, where alone plugins load."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Final

from ghostnote.bridge.dsp.effects import PLUGIN, Effect
from ghostnote.bridge.errors import KitError

_PATIENCE_SECONDS: Final = 15.0


class Later(deque[Callable[[], None]]):
    """Calls that wait for `run`; of too many the oldest is dropped."""

    def __init__(self, most: int) -> None:
        """Hold so many, for this thread until another calls `run`."""
        super().__init__(maxlen=most)
        self._thread = threading.get_ident()

    def run(self, say: Callable[[str], None]) -> None:
        """Make all calls; what is wrong with one is said."""
        self._thread = threading.get_ident()
        while self:
            try:
                self.popleft()()
            except Exception as error:  # a kit that cannot be read, or a file handle that is missing, ends nothing
                say(str(error) or repr(error))

    def takes(self, effects: Iterable[tuple[Effect, ...]], use: Callable[[], None]) -> bool:
        """Put off the use of effects with plugins and wait for it; False where this thread may load them itself."""
        has_plugin = any(effect.kind == PLUGIN and not effect.bypass for row in effects for effect in row)
        if not has_plugin or threading.get_ident() == self._thread:
            return False
        future: Future[None] = Future()

        def run() -> None:
            try:
                use()
                future.set_result(None)
            except Exception as error:  # raised where it was asked for
                future.set_exception(error)

        self.append(run)
        try:
            future.result(_PATIENCE_SECONDS)
        except TimeoutError as error:
            raise KitError(f"a plugin did not load in {_PATIENCE_SECONDS:g} s") from error
        return True

"""Where `ghostnote` begins: nothing is loaded yet."""

import os
import signal
from types import FrameType

from ghostnote.bridge.cli import INTERRUPTED


def main() -> None:
    """Load the command line and run it; Ctrl-C while it is loaded ends at once, as there is nothing to put away."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, _interrupted)
    from ghostnote.bridge.cli.app import main as run

    if ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def _interrupted(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)

"""What the `ghostnote` logger writes, and where; without an option that asks for it nothing."""

import logging
from pathlib import Path
from typing import Final

from ghostnote.bridge.cli.terminal import printable
from ghostnote.bridge.errors import OutputError

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Lines(logging.Formatter):
    """One line for each message, whatever names are in it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        return printable(super().formatMessage(record))


def configure_logs(verbose: bool, file: Path | None) -> None:
    """Write INFO and above to stderr, to a file, to both or nowhere; `OutputError` for a file that cannot be."""
    logger = logging.getLogger("ghostnote")
    handlers: list[logging.Handler] = [logging.StreamHandler()] if verbose else []
    if file:
        try:
            handlers.append(logging.FileHandler(file, encoding="utf-8"))
        except OSError as error:
            raise OutputError(f"cannot write the log {file} ({error.strerror}): choose another file") from error
    for handler in handlers:
        handler.setFormatter(_Lines(_FORMAT))
        logger.addHandler(handler)
    if handlers:
        logger.setLevel(logging.INFO)

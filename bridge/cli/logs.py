"""What the `ghostnote` logger writes, and where; without an option that asks for it nothing."""

import logging
import re
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.atomic_file import prepare_folder
from ghostnote.bridge.io.printable import printable

_DATE: Final = re.compile(rb"\d{4}-\d\d-\d\d")
_DATE_BYTES: Final = 10
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Lines(logging.Formatter):
    """One line for each message, whatever names are in it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        return printable(super().formatMessage(record))


def _check_log(file: Path) -> None:
    """Refuse a file that is there already and is not a log: a hit, a kit or a take must not be added to."""
    if file.is_file() and (head := file.open("rb").read(_DATE_BYTES)) and not _DATE.fullmatch(head):
        raise OutputError(f"cannot write the log {file}: a file that is not a log is there; choose another name")


def configure_logs(verbose: bool, file: Path | None) -> None:
    """Write INFO and above to stderr, to a file, to both or nowhere; `OutputError` for a file that cannot be."""
    logger = logging.getLogger("ghostnote")
    handlers: list[logging.Handler] = [logging.StreamHandler()] if verbose else []
    if file:
        try:
            _check_log(file)
            prepare_folder(file.parent)
            handlers.append(logging.FileHandler(file, encoding="utf-8"))
        except OSError as error:
            raise OutputError(f"cannot write the log {file} ({error.strerror}): choose another file") from error
    for handler in handlers:
        handler.setFormatter(_Lines(_FORMAT))
        logger.addHandler(handler)
    if handlers:
        logger.setLevel(logging.INFO)

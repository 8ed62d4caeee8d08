"""Printing that never ends a command: names that a terminal cannot show, and terminals that are gone."""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TextIO

from ghostnote.bridge.io.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

_GONE: Final = (errno.EPIPE, errno.EBADF, errno.EIO)
_NAMES: Final = {1: "standard output", 2: "standard error"}


def echo(text: str, err: bool = False) -> None:
    """Print one line, of which names may be a part, to stdout or stderr."""
    # Not click's echo, which takes an ASCII terminal for one of UTF-8.
    print(printable(text), file=sys.stderr if err else sys.stdout, flush=True)


def say(console: "Console", text: str) -> None:
    """Print one line, of which names may be a part, above a progress bar."""
    from rich.text import Text

    console.print(Text(printable(text)), soft_wrap=True)


class _Output(io.TextIOWrapper):
    """Standard output or error, which falls silent when whoever reads it is gone.

    Any other trouble is an `OSError` with its name, once: then it falls silent, too.
    """

    def write(self, text: str) -> int:
        """Write, or do nothing."""
        try:
            return super().write(text)
        except OSError as error:
            self._fall_silent(error)
            return len(text)

    def flush(self) -> None:
        """Write what waits, or drop it."""
        try:
            super().flush()
        except OSError as error:
            self._fall_silent(error)

    def _fall_silent(self, error: OSError) -> None:
        # What waits could not be written at the program's end either.
        null = os.open(os.devnull, os.O_WRONLY)
        descriptor = self.fileno()
        os.dup2(null, descriptor)
        os.close(null)
        if error.errno not in _GONE:
            raise OSError(error.errno, error.strerror, _NAMES.get(descriptor, "the output")) from error


def prepare_streams() -> None:
    """Make stdout and stderr show any name, as an escape if need be, and outlive whoever reads them."""
    sys.stdout, sys.stderr = _prepared(sys.stdout, 1), _prepared(sys.stderr, 2)


def _prepared(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:
        # Closed by whoever started us: the next file to be opened would take its number.
        null = os.open(os.devnull, os.O_WRONLY)
        if null != descriptor:
            os.dup2(null, descriptor)
            os.close(null)
        return open(descriptor, "w", encoding="utf-8", errors="backslashreplace")
    if type(stream) is not io.TextIOWrapper:
        # A stream that someone put there, as a test does, is theirs.
        return stream
    with suppress(OSError):
        stream.flush()
    buffered, encoding = stream.line_buffering, stream.encoding
    return _Output(stream.detach(), encoding, "backslashreplace", line_buffering=buffered, write_through=True)

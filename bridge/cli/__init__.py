"""One module a command of the `ghostnote` program."""

from typing import Final

INTERRUPTED: Final = 130
"""What the program ends with on Ctrl-C."""

"""The text of a TOML file from anywhere: bounded, and read with the reason why not."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.input_file import read_head

_MAX_BYTES: Final = 4_000_000
_DOT: Final = re.compile(r"(?<!\.)\.(?!\.)")
_MAX_KEY_PARTS: Final = 32
"""Dots in a line: a key of many parts takes memory by their square."""


def read_text(path: Path) -> str:
    """Return a kit file's text; `KitError`."""
    data = read_head(path, "a kit file", KitError, _MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise KitError(f"{path}: is larger than {_MAX_BYTES // 1000} kB; name a kit file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if path.suffix.lower() != ".toml":
            raise KitError(f"{path}: is not a kit file; name one, as mykit.toml") from error
        raise KitError(f"{path}: byte {error.start} is not UTF-8 text; save the kit as UTF-8") from error


def parse_text(text: str, origin: str) -> dict[str, Any]:
    """Return the table that a text holds; `KitError` names it by its `origin`."""
    for number, line in enumerate(text.splitlines(), 1):
        # A row of dots, as comments have them, is not a key.
        if line.count(".") > _MAX_KEY_PARTS and len(_DOT.findall(line)) > _MAX_KEY_PARTS:
            raise KitError(f"{origin}: line {number} has a key of more than {_MAX_KEY_PARTS} parts; kits need none")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise KitError(f"{origin}: is not TOML ({error}); mend the line") from error

"""What the last live session was set up with: device, rate and block, by name."""

import contextlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.atomic_file import write_bytes


@dataclass(frozen=True)
class Remembered:
    """Choices that hold until others are made."""

    driver: str | None = None
    device: str | None = None
    rate: int | None = None
    block: int | None = None


def recall(path: Path) -> Remembered:
    """Return what was remembered; nothing where the file is missing or damaged."""
    try:
        table = json.loads(path.read_text("utf-8"))
        known = {field.name: table.get(field.name) for field in fields(Remembered)}
    except (OSError, ValueError, AttributeError):
        return Remembered()
    texts = all(isinstance(known[key], str | None) for key in ("driver", "device"))
    numbers = all(isinstance(known[key], int | None) for key in ("rate", "block"))
    return Remembered(**known) if texts and numbers else Remembered()


def remember(path: Path, choices: Remembered) -> None:
    """Keep the choices; that it cannot be done is no reason not to play."""
    with contextlib.suppress(OutputError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(asdict(choices), indent=1).encode())

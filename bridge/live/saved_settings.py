"""What the last live session was set up with: device, rate and block, by name."""

import contextlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io.atomic_file import write_bytes


@dataclass(frozen=True)
class SavedSettings:
    """Choices that hold until others are made."""

    driver: str | None = None
    device: str | None = None
    rate: int | None = None
    block: int | None = None


def load_settings(path: Path) -> SavedSettings:
    """Return what was saved; nothing where the file is missing or damaged."""
    try:
        table = json.loads(path.read_text("utf-8"))
        saved = {field.name: table.get(field.name) for field in fields(SavedSettings)}
    except (OSError, ValueError, AttributeError):
        return SavedSettings()
    texts = all(isinstance(saved[key], str | None) for key in ("driver", "device"))
    numbers = all(isinstance(saved[key], int | None) for key in ("rate", "block"))
    return SavedSettings(**saved) if texts and numbers else SavedSettings()


def save_settings(path: Path, choices: SavedSettings) -> None:
    """Save the choices; where that is impossible, they hold for this session alone."""
    with contextlib.suppress(OutputError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(asdict(choices), indent=1).encode())

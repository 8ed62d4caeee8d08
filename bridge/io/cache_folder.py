"""Where this user's programs keep what they can make again."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path | None:
    """Return the folder for this user's cached files; None where the system names none."""
    variable, below = {"win32": ("LOCALAPPDATA", ""), "darwin": ("", "Library/Caches")}.get(
        sys.platform, ("XDG_CACHE_HOME", ".cache")
    )
    base = Path(os.environ.get(variable, ""))
    if not base.is_absolute():
        try:
            base = Path.home() / below
        except RuntimeError:
            return None
    # A relative path would lie in the working directory.
    return base / "ghostnote" if base.is_absolute() else None

"""Puts the plugin where hosts look, and says there how it starts the daemon."""

import sys
import tempfile
from pathlib import Path
from typing import Final

from ghostnote.bridge.io.atomic_file import output_errors, prepare_folder, write_bytes
from ghostnote.bridge.plugin.build import BUILT, BUNDLES, NAMES, build, put
from ghostnote.bridge.plugin.kits import config_folder

FOLDERS: Final = {".vst3": ".vst3", ".clap": ".clap", ".lv2": ".lv2"}
"""Where hosts on Linux look in a user's home, by a bundle's ending."""
COMMAND_FILE: Final = "plugin-daemon"
_IDLE_SECONDS: Final = 300


def install(home: Path, kits: Path | None = None) -> list[Path]:
    """Install every bundle below `home` and return where; what no package brought is built first.

    `GhostnoteError` where it cannot be built, `OutputError` where it cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="ghostnote-") as place:
        built = BUILT if BUILT.is_dir() else Path(place)
        if built != BUILT:
            build(built)
        installed = [_put(built / bundle.format(name), home) for name in NAMES for bundle in BUNDLES]
    folder = kits or config_folder() / "kits"
    prepare_folder(folder)
    write_bytes(config_folder() / COMMAND_FILE, "".join(f"{line}\n" for line in daemon_command(folder)).encode())
    return installed


def _put(bundle: Path, home: Path) -> Path:
    target = home / FOLDERS[bundle.suffix] / bundle.name
    prepare_folder(target.parent)
    with output_errors(target):
        put(bundle, target)
    return target


def daemon_command(kits: Path) -> list[str]:
    """Return the command by which a plugin starts the daemon of this installation."""
    serve = ["-m", "ghostnote.bridge.cli", "plugin", "serve", "--idle", str(_IDLE_SECONDS)]
    return [sys.executable, *serve, "--kits", str(kits.resolve())]

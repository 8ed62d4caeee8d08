"""Puts the plugin where hosts look, and says there how it starts the daemon."""

import hashlib
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ghostnote.bridge.io.atomic_file import output_errors, prepare_folder, write_bytes
from ghostnote.bridge.io.input_file import real_path
from ghostnote.bridge.plugin import build as building
from ghostnote.bridge.plugin.build import BUILT, BUNDLES, NAMES, SOURCES, build, put
from ghostnote.bridge.plugin.dpf_patches import PATCHES
from ghostnote.bridge.plugin.kits import config_folder

FOLDERS: Final = {".vst3": ".vst3", ".clap": ".clap", ".lv2": ".lv2"}
"""Where hosts on Linux look in a user's home, by a bundle's ending."""
COMMAND_FILE: Final = "plugin-daemon"
_BUILT_FILE: Final = "plugin-built"
"""What was built and installed last, as a digest."""
_IDLE_SECONDS: Final = 300


def install(home: Path, kits: Path | None = None, tell: Callable[[str], None] = lambda _: None) -> list[Path]:
    """Install every bundle below `home` and return where; what no package brought is built first, once a version.

    `GhostnoteError` where it cannot be built, `OutputError` where it cannot be written.
    """
    targets = [home / FOLDERS[Path(each).suffix] / each.format(name) for name in NAMES for each in BUNDLES]
    if BUILT.is_dir():
        _put(BUILT, targets)
    elif _is_installed(targets):
        tell("this version of the plugin is already there: it is not built again")
    else:
        with tempfile.TemporaryDirectory(prefix="ghostnote-") as place:
            build(Path(place), tell=tell)
            _put(Path(place), targets)
        write_bytes(config_folder() / _BUILT_FILE, _state(targets).encode())
    folder = kits or config_folder() / "kits"
    prepare_folder(folder)
    write_bytes(config_folder() / COMMAND_FILE, "".join(f"{line}\n" for line in daemon_command(folder)).encode())
    return targets


def _is_installed(targets: list[Path]) -> bool:
    """Return whether an earlier call built these very bundles from this very source."""
    try:
        return (config_folder() / _BUILT_FILE).read_text("utf-8") == _state(targets)
    except (OSError, ValueError):
        return False


def _state(targets: list[Path]) -> str:
    """Return a digest of what is built and of what lies in the targets."""
    digest = hashlib.sha256(f"{version('ghostnote')}\n{PATCHES}".encode())
    modules = [Path(building.__file__), *sorted(SOURCES.iterdir())]
    for place in (*modules, *targets):
        for file in sorted(path for path in (place, *place.rglob("*")) if path.is_file()):
            digest.update(f"\n{file}\n".encode(errors="surrogateescape"))
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _put(built: Path, targets: list[Path]) -> None:
    for target in targets:
        prepare_folder(target.parent)
        with output_errors(target):
            put(built / target.name, target)


def daemon_command(kits: Path) -> list[str]:
    """Return the command by which a plugin starts the daemon of this installation."""
    serve = ["-m", "ghostnote.bridge.cli", "plugin", "serve", "--idle", str(_IDLE_SECONDS)]
    return [sys.executable, *serve, "--kits", str(real_path(kits))]

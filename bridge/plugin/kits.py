"""The kits that a plugin can choose by number, and the text by which a host's session keeps one."""

import os
from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.kit import BUILT_IN, Kit, built_in_file, parse_kit
from ghostnote.bridge.kit.overrides import with_settings
from ghostnote.bridge.live.kit_folder import KitFolder


def config_folder() -> Path:
    """Return where this user's settings lie."""
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".config") / "ghostnote"


@dataclass(frozen=True)
class ChosenKit:
    """A kit, and what a session saves of it."""

    kit: Kit
    saved: str
    """Its number, its name, the folder of its sounds, then the file's text, a line each but for the text."""


def kit_names(folder: Path) -> list[str]:
    """Return the kits by number: those that come along, then those of the folder."""
    return [*BUILT_IN, *(KitFolder(folder).names() if folder.is_dir() else ())]


def numbered_kit(number: int, folder: Path, seed: int = 0) -> ChosenKit:
    """Return the kit of a number; `KitError`."""
    names = kit_names(folder)
    if number >= len(names):
        raise KitError(f"kit {number}: there are 0 to {len(names) - 1}; put kit files into {folder}")
    path = built_in_file(names[number]) if number < len(BUILT_IN) else folder / names[number]
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise KitError(f"{path}: cannot be read; {error}") from error
    return saved_kit(f"{number}\n{names[number]}\n{path.parent}\n{text}", seed)


def saved_kit(saved: str, seed: int = 0) -> ChosenKit:
    """Return the kit that a session saved; `KitError` where it or a sound of it is damaged or gone."""
    head = saved.split("\n", 3)
    if len(head) < 4:
        raise KitError("the session's kit is damaged: choose one by the plugin's parameter Kit")
    kit = parse_kit(head[3], Path(head[2]), head[1])
    return ChosenKit(with_settings(kit, seed=seed) if seed else kit, saved)

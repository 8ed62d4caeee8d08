"""Writes a kit as the TOML text that `load_kit` reads."""

import json
import os
from pathlib import Path

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.kit.fields import RANGES
from ghostnote.bridge.kit.kit import Kit, Pad, pad_seed


def save_kit(kit: Kit, path: Path) -> None:
    """Write a kit file whole or not at all.

    `KitError` for a hit that lies outside the file's folder; `OutputError` when it cannot be written.
    """
    write_bytes(path, kit_text(kit, path.parent).encode())


def kit_text(kit: Kit, folder: Path) -> str:
    """Return the text of a kit file that is to lie in `folder`; what a pad has by default is left out."""
    head = f"name = {_quoted(kit.name)}\nseed = {kit.seed}\n"
    return head + "".join(_pad_text(pad, kit.seed, folder) for pad in kit.pads)


def _pad_text(pad: Pad, kit_seed: int, folder: Path) -> str:
    plain = Pad(pad.name, pad.notes, pad.drum_class, seed=pad_seed(kit_seed, pad.name))
    lines = [
        f"name = {_quoted(pad.name)}",
        f"notes = {list(pad.notes)}",
        f"class = {_quoted(pad.drum_class)}",
    ]
    if pad.hit:
        lines.append(f"hit = {_quoted(_relative(pad, pad.hit, folder))}")
    if pad.choke:
        lines.append(f"choke = {_quoted(pad.choke)}")
    lines += [f"{key} = {getattr(pad, key)}" for key in RANGES if getattr(pad, key) != getattr(plain, key)]
    return "\n[[pad]]\n" + "".join(f"{line}\n" for line in lines)


def _relative(pad: Pad, hit: Path, folder: Path) -> str:
    inside = Path(os.path.relpath(hit, folder))
    if inside.is_absolute() or inside.parts[:1] == ("..",):
        raise KitError(
            f"pad '{pad.name}': its hit {hit} lies outside {folder}; save the kit beside or above its hits"
        )
    return inside.as_posix()


def _quoted(text: str) -> str:
    # JSON's strings are TOML's, but for the one control character that JSON leaves alone.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

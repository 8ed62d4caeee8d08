"""Writes a kit as the TOML text that `load_kit` reads."""

from pathlib import Path

from ghostnote.bridge.dsp.effects import Effect
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.kit.effects import effects_text
from ghostnote.bridge.kit.fields import RANGES, path_inside, quoted
from ghostnote.bridge.kit.hits import HIT_RANGES, TOUCH, PadHit
from ghostnote.bridge.kit.kit import Kit, Pad, pad_seed


def check_kit_path(path: Path, *, replace: bool) -> None:
    """Raise `KitError` unless a kit file may be written: its name ends in .toml, and it is new or is to be replaced."""
    if path.suffix.lower() != ".toml":
        # A path does not tell an empty name from this folder's.
        given = path if path.parts else "'' or '.'"
        raise KitError(f"{given}: a kit file's name ends in .toml, as mykit.toml")
    if path.exists() and not replace:
        raise KitError(f"{path}: is already there; choose another name, or add --force to replace it")


def save_kit(kit: Kit, path: Path) -> None:
    """Write a kit file whole or not at all.

    `KitError` for a hit that lies outside the file's folder; `OutputError` when it cannot be written.
    """
    write_bytes(path, kit_text(kit, path.parent).encode())


def kit_text(kit: Kit, folder: Path) -> str:
    """Return the text of a kit file that is to lie in `folder`, without what a pad has by default."""
    head = f"name = {quoted(kit.name)}\nseed = {kit.seed}\n"
    if kit.effects:
        head += f"effects = {_effects_text('the mix', kit.effects, folder)}\n"
    return head + "".join(pad_text(pad, kit.seed, folder) for pad in kit.pads)


def pad_text(pad: Pad, kit_seed: int, folder: Path) -> str:
    """Return the table of a pad in the text of a kit file; `KitError` for a hit that lies outside `folder`."""
    default = Pad(pad.name, pad.notes, pad.drum_class, seed=pad_seed(kit_seed, pad.name))
    lines = {"name": quoted(pad.name), "notes": str(list(pad.notes)), "class": quoted(pad.drum_class)}
    if pad.kind:
        lines["kind"] = quoted(pad.kind)
    if pad.hit:
        lines["hit"] = _inside(f"pad '{pad.name}': its hit", pad.hit, folder)
    if pad.hits:
        lines["hits"] = "[\n" + "".join(f"    {_hit_text(pad, hit, folder)},\n" for hit in pad.hits) + "]"
    if pad.choke:
        lines["choke"] = quoted(pad.choke)
    if pad.out:
        lines["out"] = quoted(pad.out)
    if pad.reverse:
        lines["reverse"] = "true"
    if pad.effects:
        lines["effects"] = _effects_text(f"pad '{pad.name}'", pad.effects, folder)
    lines |= {key: getattr(pad, key) for key in RANGES if getattr(pad, key) != getattr(default, key)}
    return "\n[[pad]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


def _hit_text(pad: Pad, hit: PadHit, folder: Path) -> str:
    """Return a recorded stroke as a table on one line."""
    velocity = hit.high if hit.low == hit.high else [hit.low, hit.high]
    numbers = {key: getattr(hit, key) for key in HIT_RANGES if getattr(hit, key)}
    touch = {key: value[0] if value[0] == value[1] else [*value] for key in TOUCH if (value := getattr(hit, key))}
    entries = {
        "file": _inside(f"pad '{pad.name}': its hit", hit.file, folder),
        "velocity": velocity,
        **numbers,
        **touch,
    }
    return "{ " + ", ".join(f"{key} = {value}" for key, value in entries.items()) + " }"


def _effects_text(where: str, effects: tuple[Effect, ...], folder: Path) -> str:
    """Return a list of effects, one a line."""

    def impulse(file: Path) -> str:
        return _relative(f"{where}: its impulse response", file, folder)

    return "[\n" + "".join(f"    {effects_text((effect,), impulse)[1:-1]},\n" for effect in effects) + "]"


def _inside(what: str, file: Path, folder: Path) -> str:
    return quoted(_relative(what, file, folder))


def _relative(what: str, file: Path, folder: Path) -> str:
    inside = path_inside(file, folder)
    if inside is None:
        raise KitError(f"{what} {file} lies outside {folder}; save the kit beside or above it")
    return inside

"""The tables of pads in a kit file: which keys each must have, and the values of all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.drums import class_from_name
from ghostnote.bridge.kit.effects import kit_effects
from ghostnote.bridge.kit.fields import (
    PAD_KEYS,
    FieldError,
    check_class,
    check_hit,
    check_keys,
    check_kind,
    check_name,
    check_notes,
    check_number,
    check_switch,
)
from ghostnote.bridge.kit.hits import check_hits

_HEAD: Final = ("name", "notes", "class", "kind")


def pad_tables(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tables of the pads, of which there must be one or more."""
    pads = table.get("pad", [])
    if not isinstance(pads, list) or not all(isinstance(pad, dict) for pad in pads):
        raise FieldError("pad must be a list of tables; head each with [[pad]]")
    if not pads:
        raise FieldError("there are no pads; add one under a line [[pad]]")
    return pads


def pad_settings(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what a pad's table says, by the names of `Pad`; `FieldError` for the first rule that it breaks."""
    check_keys(entry, PAD_KEYS)
    for key in ("name", "notes"):
        if key not in entry:
            raise FieldError(f"{key} is missing; every pad needs it")
    for key in ("hit", "velocity"):
        if key in entry and "hits" in entry:
            raise FieldError(f"{key} and hits exclude each other; leave {key} out, and name its stroke in hits")
    name = check_name("name", entry["name"])
    kind = check_kind(entry["kind"]) if "kind" in entry else None
    own = kind.drum_class if kind else class_from_name(name)
    given = check_class(entry["class"]) if "class" in entry else own
    if kind and given != kind.drum_class:
        raise FieldError(f"kind = {kind.name!r} belongs to the class {kind.drum_class!r}; leave the class out")
    if given is None:
        raise FieldError("class is missing, and the name says no drum; add a line class = ...")
    options = {key: _option(key, entry[key], folder) for key in entry if key not in _HEAD}
    notes = check_notes(entry["notes"])
    return {"name": name, "notes": notes, "drum_class": given, "kind": kind.name if kind else None, **options}


def _option(key: str, value: object, folder: Path) -> Any:
    """Return the checked value of a key that a pad may leave out."""
    if key == "hit":
        return check_hit(value, folder)
    if key == "reverse":
        return check_switch(key, value)
    if key in ("hits", "effects"):
        return check_hits(value, folder) if key == "hits" else kit_effects(value, folder)
    return check_name(key, value) if key in ("choke", "out") else check_number(key, value)

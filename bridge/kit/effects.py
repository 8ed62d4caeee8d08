"""The effects of a pad or of the mix, as kit files say them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.dsp.effects import CONVOLUTION, EFFECTS, PLUGIN, Effect, Value
from ghostnote.bridge.io.printable import nearest, shortened, shown
from ghostnote.bridge.kit.fields import (
    FieldError,
    MissingFileError,
    check_hit,
    check_keys,
    check_number,
    check_switch,
    check_text,
    quoted,
)

MOST_EFFECTS: Final = 16
"""In a row."""

Find = Callable[[str], Path]
"""Returns the file of a text in a list of effects; `MissingFileError` where there is none, `FieldError` else."""


def check_effects(value: object, impulse: Find, plugin: Find) -> tuple[Effect, ...]:
    """Return the effects of a list, whose files are found by `impulse` and `plugin`; `FieldError`.

    The file of an effect that is bypassed need not be there.
    """
    if not isinstance(value, list) or len(value) > MOST_EFFECTS:
        found = f"{len(value)} entries" if isinstance(value, list) else shown(value)
        raise FieldError(
            f"effects = {found}, but it must be a list of at most {MOST_EFFECTS} tables such as "
            "[{ type = 'reverb', room_size = 0.3 }]"
        )
    effects = []
    for number, entry in enumerate(value, 1):
        try:
            effects.append(_effect(entry, impulse, plugin))
        except FieldError as error:
            raise FieldError(f"effect {number}: {error}") from error
    return tuple(effects)


def kit_effects(value: object, folder: Path) -> tuple[Effect, ...]:
    """Return the effects of a list in a kit file that lies in `folder`; `FieldError`."""
    return check_effects(value, lambda text: check_hit(text, folder, key="impulse_response"), find_plugin)


def find_plugin(text: str) -> Path:
    """Return the path of a VST3, which must be a whole one: no kit brings programs along."""
    try:
        path = Path(text).expanduser()
        is_there = path.exists()
    except (OSError, RuntimeError) as error:
        # As for a name that is too long, or the home of nobody.
        raise FieldError(f"plugin = {shown(text)} cannot be looked up ({getattr(error, 'strerror', error)})") from error
    if not path.is_absolute():
        raise FieldError(f"plugin = {shown(text)}, but a plugin needs its whole path, as /usr/lib/vst3/Name.vst3")
    if path.suffix.lower() != ".vst3":
        raise FieldError(f"plugin = {shown(text)} is not a VST3; name a file or folder that ends in .vst3")
    if not is_there:
        advice = "install it, mend the path, or leave the effect out with bypass = true"
        raise MissingFileError(f"plugin = {shown(text)} does not exist; {advice}", path)
    return path


def with_value(effect: Effect, name: str, value: object) -> Effect:
    """Return an effect with another value of a parameter, or with `bypass`; `FieldError`."""
    if name == "bypass":
        return replace(effect, bypass=bool(value))
    if effect.kind == PLUGIN:
        checked = _plugin_value(name, value)
    else:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        checked = check_number(name, number, _ranges(effect.kind))
    return replace(effect, values=tuple((dict(effect.values) | {name: checked}).items()))


def effect_table(effect: Effect, file_text: Callable[[Path], str]) -> dict[str, Any]:
    """Return an effect as `check_effects` reads it, with its file as `file_text` says it."""
    values, bypass = dict(effect.values), {"bypass": True} if effect.bypass else {}
    if effect.kind == PLUGIN:
        return {"plugin": str(effect.file), **({"values": values} if values else {}), **bypass}
    file = {"impulse_response": file_text(effect.file)} if effect.file else {}
    return {"type": effect.kind, **file, **values, **bypass}


def effects_text(effects: tuple[Effect, ...], file_text: Callable[[Path], str]) -> str:
    """Return effects as a TOML list."""
    return f"[{', '.join(_inline(effect_table(effect, file_text)) for effect in effects)}]"


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        entries = (
            f"{key if key.isidentifier() and key.isascii() else quoted(key)} = {_inline(each)}"
            for key, each in value.items()
        )
        return "{ " + ", ".join(entries) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else repr(value)


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else quoted(name)


def _effect(entry: object, impulse: Find, plugin: Find) -> Effect:
    if not isinstance(entry, dict):
        raise FieldError(f"{shown(entry)} is not a table such as {{ type = 'reverb', room_size = 0.3 }}")
    bypass = check_switch("bypass", entry.get("bypass", False))
    if "plugin" in entry:
        check_keys(entry, ("plugin", "values", "bypass"))
        values = entry.get("values", {})
        if not isinstance(values, dict):
            raise FieldError(f"values = {shown(values)}, but it must be a table such as {{ mix = 50.0 }}")
        checked = tuple((name, _plugin_value(name, value)) for name, value in values.items())
        return Effect(PLUGIN, checked, _file(entry, "plugin", plugin), bypass)
    kind = _kind(entry.get("type"))
    file_key = ("impulse_response",) if kind == CONVOLUTION else ()
    ranges = _ranges(kind)
    check_keys(entry, ("type", *file_key, *ranges, "bypass"))
    for key in file_key:
        if key not in entry:
            raise FieldError(f"{key} is missing; name the sound file of a room")
    file = _file(entry, "impulse_response", impulse) if file_key else None
    values = {key: check_number(key, entry[key], ranges) for key in entry if key in ranges}
    return Effect(kind, tuple(values.items()), file, bypass)


def _file(entry: Mapping[str, Any], key: str, find: Find) -> Path:
    """Return the file of an effect, which may be missing where the effect is bypassed."""
    try:
        return find(check_text(key, entry[key]))
    except MissingFileError as error:
        if entry.get("bypass"):
            return error.path
        raise


def _kind(value: object) -> str:
    if value is None:
        raise FieldError("type is missing; name an effect, or a plugin's path as plugin = ...")
    if not isinstance(value, str) or value not in EFFECTS:
        raise FieldError(f"type = {shown(value)} is not an effect; {nearest(value, EFFECTS)}")
    return value


def _ranges(kind: str) -> dict[str, tuple[float, float]]:
    return {name: (low, high) for name, (low, high, _) in EFFECTS[kind].numbers.items()}


def _plugin_value(name: str, value: object) -> Value:
    if not isinstance(value, bool | int | float | str) or (isinstance(value, float) and not math.isfinite(value)):
        rule = "a plugin's values are numbers, true, false or text"
        raise FieldError(f"{shortened(name)} = {shown(value)}, but {rule}")
    return value

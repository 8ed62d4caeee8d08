"""What OSC does to effects: a pad's, or the mix's."""

from pathlib import Path
from typing import Final

from ghostnote.bridge.dsp.effects import PLUGIN, Effect
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.effects import check_effects, effects_text, find_plugin, with_value
from ghostnote.bridge.kit.fields import FieldError, MissingFileError, check_hit, path_inside
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.kit.toml_text import parse_text
from ghostnote.bridge.live.osc.call import Call, Reply
from ghostnote.bridge.live.osc.codec import OscError
from ghostnote.bridge.live.pad_parameters import Value, slug

_MOST_TEXT: Final = 1200


def effect_names(effects: tuple[Effect, ...]) -> list[tuple[int, str]]:
    """Return the number from 1 and the parameter of all that can be set."""
    return [(number, name) for number, e in enumerate(effects, 1) for name in (*e.parameters, "bypass")]


def effects_of(kit: Kit, pad: Pad | None) -> tuple[Effect, ...]:
    """Return the present effects of a pad of that name, or without one of the mix."""
    return kit.all_effects.get(pad.name if pad else "", ())


def effect_list(call: Call) -> Reply:
    """Replace all effects, or reply them."""
    kit, pad = call.session.kit, call.addressed
    if call.arguments:
        text = call.text(0, "list")
        effects = _parsed(text, kit)
        call.session.set_effects(pad, effects, f"{_root(pad)}/effects", text)
        return None
    text = effects_text(effects_of(kit, pad), lambda file: _shown(file, kit))
    if len(text.encode()) > _MOST_TEXT:
        raise OscError("the list is too long for a reply: save the kit, and read its file")
    return (text,)


def no_such_effect(address: str, kit: Kit) -> str:
    """Return which effects there are, where an address below `ROOT` is that of another; '' where it is of none."""
    owner, found, rest = address.partition("/effect/")
    owners = {_root(pad): effects_of(kit, pad) for pad in (None, *kit.pads)}
    if not found or owner not in owners:
        return ""
    effects = owners[owner]
    if not effects:
        return f"{owner} has no effects; set some with {owner}/effects"
    number = rest.partition("/")[0]
    if number.isdecimal() and 0 < int(number) <= len(effects):
        effect = effects[int(number) - 1]
        return (
            f"{rest!r} is not a parameter of effect {number}: {effect.name} has {', '.join(effect.parameters)}, bypass"
        )
    count = f"1 to {len(effects)}" if len(effects) > 1 else "1"
    return f"{owner} has no effect {number}; its effects are {count}"


def effect_value(call: Call) -> Reply:
    """Set a parameter, or reply it."""
    number, name = call.effect
    pad, effects = call.addressed, effects_of(call.session.kit, call.addressed)
    if number > len(effects):
        raise OscError(f"there is no effect {number}")
    effect = effects[number - 1]
    if not call.arguments:
        return (_value(effect, name),)
    changed = with_value(effect, name, call.arguments[0])
    effects = (*effects[: number - 1], changed, *effects[number:])
    call.session.set_effects(pad, effects, f"{_root(pad)}/effect/{number}/{name}", _value(changed, name))
    return None


def _value(effect: Effect, name: str) -> Value:
    value = effect.bypass if name == "bypass" else effect.parameters.get(name)
    if value is None:
        raise OscError(f"{effect.name} has no {name}")
    return value


def _root(pad: Pad | None) -> str:
    return f"pad/{slug(pad.name)}" if pad else "mix"


def _parsed(text: str, kit: Kit) -> tuple[Effect, ...]:
    """Return the effects of a text; its files are those that the kit may have, and no plugin comes from outside."""
    known = {effect.file for row in kit.all_effects.values() for effect in row if effect.kind == PLUGIN}

    def plugin(name: str) -> Path:
        try:
            path = find_plugin(name)
        except MissingFileError as missing:
            if missing.path in known:
                raise
            path = missing.path
        if path not in known:
            raise FieldError(f"plugin = {name!r} is not in the kit; write it into the kit's file first")
        return path

    def impulse(name: str) -> Path:
        if kit.path is None:
            raise FieldError("impulse_response needs a kit with a folder; load one from a file")
        return check_hit(name, kit.path.parent, key="impulse_response")

    try:
        table = parse_text(f"effects = {text}", "the list")
    except KitError as error:
        raise OscError(f"effects = {text!r} is not a list in TOML; send one as in [{{ type = 'gain' }}]") from error
    if set(table) != {"effects"}:
        raise FieldError(f"effects = {text!r}, but it must be one list")
    return check_effects(table["effects"], impulse, plugin)


def _shown(file: Path, kit: Kit) -> str:
    return (path_inside(file, kit.path.parent) if kit.path else None) or str(file)

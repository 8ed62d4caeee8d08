"""SFZ: text files of regions, as sfizz, ARIA and many samplers play them."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import log10
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.dsp.velocity import velocity_db
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.importers.heard_settings import heard_end, heard_envelope, heard_tracking
from ghostnote.bridge.kit.importers.region import Found, Region
from ghostnote.bridge.kit.importers.sfz_text import Opcodes, SfzReader, regions
from ghostnote.bridge.kit.importers.xml import number

_KEYS: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_KEY_NAME: Final = re.compile(r"([a-gA-G])([#b♯♭]?)(-?\d)$")
_USED: Final = frozenset(
    (
        *("sample", "lokey", "hikey", "lovel", "hivel", "volume", "pan", "tune", "transpose", "offset"),
        *(
            "pitch_keycenter",
            "pitch_keytrack",
            "group",
            "polyphony_group",
            "off_by",
            "offby",
            "amp_veltrack",
            "trigger",
        ),
        *("seq_position", "seq_length", "lorand", "hirand", "loop_mode", "loopmode", "amplitude", "group_volume"),
        *("master_volume", "global_volume", "sw_last", "sw_default", "end", "default_path", "note_offset"),
        *("octave_offset", "pitch", "gain", "polyphony", "note_polyphony"),
    )
)
_WITHOUT_EFFECT: Final = re.compile(
    r"ampeg_(delay|attack|hold|decay|sustain|release)|(region|group|master|global)_label|off_mode|off_time|bend_(up|down|smooth)"
    r"|loop_?(start|end|crossfade|type|count)|sw_(lo|hi)key|sw_label|lochan|hichan|set_(hd)?cc\d+|label_cc\d+|output"
    r"|label_key\d+|note_selfmask|rt_dead|sample_quality|hint_\w+|(lo|hi)(hd)?cc\d+"
)
"""What changes nothing in a one-shot that rings out, is a name, or is looked at apart."""
_VOLUMES: Final = ("volume", "gain", "group_volume", "master_volume", "global_volume")
_CONTROLLERS: Final = {7: 100.0, 10: 64.0, 11: 127.0}
_TOUCHES: Final = (4, 16)
"""Controllers that choose among strokes: the hi-hat's pedal, and where on the drum it was struck."""
_OPENNESS, _POSITION = _TOUCHES


def read_sfz(path: Path, root: Path) -> Found:
    """Return the regions of an SFZ file, whose files lie in `root`; `KitError`."""
    found = Found(path, root, path.stem)
    reader = SfzReader(root)
    first_switch: str | None = None
    rest = dict.fromkeys(_TOUCHES, 0.0)
    for opcodes, control in regions(reader, path):
        first_switch = first_switch or opcodes.get("sw_default")
        reason = _why_not(opcodes, control, path, first_switch)
        if reason:
            found.left_out[reason] += 1
            continue
        for name in opcodes:
            if name not in _USED and not _WITHOUT_EFFECT.fullmatch(name):
                found.unknown[name] += 1
        if opcodes.get("loop_mode", opcodes.get("loopmode", "")) in ("loop_continuous", "loop_sustain"):
            found.unknown["loops, which play once"] += 1
        _add(found, opcodes, control)
        rest = {each: number(control.get(f"set_cc{each}"), 0.0, f"set_cc{each}", path) / 127 for each in _TOUCHES}
    found.regions[:] = [*_chosen_by_touch(found, {"openness": 1 - rest[_OPENNESS], "position": rest[_POSITION]})]
    return found


def _chosen_by_touch(found: Found, rest: dict[str, float]) -> Iterator[Region]:
    """Yield the regions; where a controller chooses among none on a key, those that play while it is at rest."""
    values: dict[tuple[str, int], set[object]] = defaultdict(set)
    for field, region in product(rest, found.regions):
        for key in region.keys if getattr(region, field) else ():
            values[field, key].add(getattr(region, field))
    for region in [*found.regions]:
        alone = [
            field
            for field in rest
            if getattr(region, field) and all(len(values[field, key]) < 2 for key in region.keys)
        ]
        if all(getattr(region, field)[0] <= rest[field] <= getattr(region, field)[1] for field in alone):
            freed: dict[str, Any] = dict.fromkeys(alone)
            yield replace(region, **freed)
        else:
            found.left_out["regions for another position of controller 4 or 16"] += 1


def _why_not(opcodes: Opcodes, control: Opcodes, path: Path, switch: str | None) -> str:
    """Return why a region does not sound for a note that is struck, or nothing."""
    sample = opcodes.get("sample", "")
    if not sample or sample.startswith("*"):
        return "regions without a sample"
    if opcodes.get("trigger", "attack") not in ("attack", "first"):
        return f"regions that sound on {opcodes['trigger']}"
    if opcodes.get("end", "").strip() in ("-1", "0"):
        return "regions that are switched off"
    if switch and opcodes.get("sw_last", switch) != switch:
        return "regions of other key switches"
    for name, value in opcodes.items():
        bound = re.fullmatch(r"(lo|hi)cc(\d{1,4})", name)
        if bound and int(bound[2]) not in _TOUCHES:
            at = number(control.get(f"set_cc{bound[2]}"), _CONTROLLERS.get(int(bound[2]), 0.0), name, path)
            limit = number(value, 0.0, name, path)
            if at < limit if bound[1] == "lo" else at > limit:
                return f"regions for another position of controller {bound[2]}"
    return ""


def _add(found: Found, opcodes: Opcodes, control: Opcodes) -> None:
    """Add a region, or one for each key where the keys' pitches differ."""
    path = found.source
    name = control.get("default_path", "") + opcodes["sample"]
    file = found.sample(path.parent, name)
    if file is None:
        found.missing.append(name)
        return
    low, high = _velocities(opcodes, path)
    if high < 1:
        found.left_out["regions for velocity 0"] += 1
        return
    keys = _keys(opcodes, control, path)
    if not keys:
        found.left_out["regions without a key from 0 to 127"] += 1
        return
    if "lorand" in opcodes or "hirand" in opcodes:
        first, last = (number(opcodes.get(*name), 0.0, name[0], path) for name in (("lorand", "0"), ("hirand", "1")))
        found.chances.add(round(last - first, 2))
    track = number(opcodes.get("amp_veltrack"), 100.0, "amp_veltrack", path) / 100
    found.unknown.update(_heard(found, opcodes, file, track, (low, high)))
    for tune, own in _tunings(opcodes, keys, path):
        found.add(
            Region(
                file,
                own,
                next((opcodes[key] for key in ("group_label", "region_label") if opcodes.get(key)), ""),
                max(low, 1),
                high,
                _gain_db(opcodes, path) + track * velocity_db(high),
                max(-1.0, min(1.0, number(opcodes.get("pan"), 0.0, "pan", path) / 100)),
                tune,
                found.milliseconds(file, number(opcodes.get("offset"), 0.0, "offset", path)),
                _group(opcodes, "group", "polyphony_group"),
                _group(opcodes, "off_by", "offby"),
                "/".join(opcodes.get(name, "") for name in ("seq_position", "lorand", "hirand")),
                _touch(opcodes, _OPENNESS, path, falls=True),
                _touch(opcodes, _POSITION, path),
            )
        )


def _velocities(opcodes: Opcodes, path: Path) -> tuple[int, int]:
    """Return the lowest and the highest velocity that play a region, 0 to 127; `KitError`."""
    low, high = (round(number(opcodes.get(key), default, key, path)) for key, default in (("lovel", 1), ("hivel", 127)))
    if not 0 <= low <= high <= 127:
        raise KitError(f"{path}: a region has the velocities {low} to {high}, but they lie between 1 and 127; mend it")
    return low, high


def _heard(found: Found, opcodes: Opcodes, file: Path, track: float, velocities: tuple[int, int]) -> Iterator[str]:
    """Yield what is understood but cannot be taken over, where it would be heard."""
    yield from heard_envelope(opcodes, "ampeg_", 100.0, found.source)
    yield from heard_end(opcodes, file, found)
    yield from heard_tracking("amp_veltrack", track, velocities)


def _touch(opcodes: Opcodes, controller: int, path: Path, *, falls: bool = False) -> tuple[float, float] | None:
    """Return a controller's range as shares of it, turned round where it `falls`; None for all of it."""
    names = (f"locc{controller}", f"hicc{controller}")
    low, high = (number(opcodes.get(name), at, name, path) for name, at in zip(names, (0.0, 127.0), strict=True))
    if low > high or (low <= 0 and high >= 127):
        return None
    shares = (max(low, 0.0) / 127, min(high, 127.0) / 127)
    low, high = (1 - shares[1], 1 - shares[0]) if falls else shares
    return round(low, 4), round(high, 4)


def _group(opcodes: Opcodes, *names: str) -> str | None:
    """Return the choke group that one of these opcodes names; 0 is none."""
    return next((opcodes[name] for name in names if opcodes.get(name, "0").strip() != "0"), None)


def _keys(opcodes: Opcodes, control: Opcodes, path: Path) -> tuple[int, ...]:
    shift = sum(
        round(number(control.get(name), 0.0, name, path)) * size
        for name, size in (("note_offset", 1), ("octave_offset", 12))
    )
    low = _key(opcodes.get("lokey"), 0, path)
    high = _key(opcodes.get("hikey"), 127, path)
    if low < 0 and high < 0:
        return ()
    return tuple(key + shift for key in range(max(low, 0), min(high, 127) + 1) if 0 <= key + shift <= 127)


def _key(text: str | None, default: int, path: Path) -> int:
    """Return a key by its number or its name; c4 is 60."""
    named = _KEY_NAME.match(text.strip()) if text else None
    if not named:
        return round(number(text, default, "a key", path))
    sharp = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[named[2]]
    return 12 * (int(named[3]) + 1) + _KEYS[named[1].lower()] + sharp


def _tunings(opcodes: Opcodes, keys: tuple[int, ...], path: Path) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Yield the semitones that a region is tuned by, with the keys."""
    cents = number(opcodes.get("tune", opcodes.get("pitch")), 0.0, "tune", path)
    tune = cents / 100 + number(opcodes.get("transpose"), 0.0, "transpose", path)
    track = number(opcodes.get("pitch_keytrack"), 100.0, "pitch_keytrack", path) / 100
    center = opcodes.get("pitch_keycenter", "60")
    if center == "sample" or track == 0.0:
        yield tune, keys
        return
    middle = _key(center, 60, path)
    for key in keys:
        yield tune + track * (key - middle), (key,)


def _gain_db(opcodes: Opcodes, path: Path) -> float:
    """Return a region's gain without that of its velocity."""
    gain = sum(number(opcodes.get(name), 0.0, name, path) for name in _VOLUMES)
    percent = number(opcodes.get("amplitude"), 100.0, "amplitude", path)
    return gain + 20 * log10(max(percent, 1e-3) / 100)

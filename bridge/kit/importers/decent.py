"""DecentSampler: `.dspreset` files beside their samples, or packed as `.dslibrary`."""

import re
from collections.abc import Iterator
from math import log10
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from ghostnote.bridge.kit.importers.heard_settings import heard_end, heard_envelope, heard_tracking
from ghostnote.bridge.kit.importers.region import NO_VELOCITY, Found, Region, velocity_range
from ghostnote.bridge.kit.importers.xml import number, read_xml

_USED: Final = frozenset(
    (
        *("path", "rootNote", "loNote", "hiNote", "loVel", "hiVel", "seqMode", "seqPosition", "seqLength", "volume"),
        *("pan", "tuning", "groupTuning", "globalTuning", "start", "tags", "silencedByTags", "silencingMode"),
        *("ampVelTrack", "trigger", "pitchKeyTrack", "name", "enabled", "loopEnabled", "groupVolume", "attack"),
        *(
            "delay",
            "hold",
            "decay",
            "sustain",
            "release",
            "end",
            "playbackMode",
            "previousNotes",
            "loopStart",
            "loopEnd",
        ),
        *("ampEnvEnabled", "length", "sampleRate", "fileName", "loopCrossfade", "loopCrossfadeMode"),
    )
)
_VOLUME: Final = re.compile(r"\s*(-?[\d.]+)\s*d[bB]\s*$")
_LEAST_GAIN: Final = 1e-3
_OFF: Final = ("false", "0")


def read_decent(path: Path, root: Path) -> Found:
    """Return the regions of a DecentSampler preset, whose files lie in `root`; `KitError`."""
    preset = read_xml(path, ("DecentSampler",))
    found = Found(path, root, preset.get("title") or preset.get("presetName") or path.stem)
    for tag in ("effects", "modulators", "midi", "ui"):
        count = sum(len(list(each)) for each in preset.findall(f".//{tag}"))
        if count and tag != "ui":
            found.unknown[tag] += count
    for groups in preset.findall("groups"):
        for group in groups.findall("group"):
            for sample in group.findall("sample"):
                _add(found, [groups, group, sample])
    return found


def _add(found: Found, levels: list[Element]) -> None:
    """Add a sample with what its group and all groups say."""
    path = found.source
    merged = {key: value for level in levels for key, value in level.attrib.items()}
    reason = _why_not(merged)
    if reason:
        found.left_out[reason] += 1
        return
    found.unknown.update(key for key in merged if key not in _USED)
    if merged.get("loopEnabled", "false").lower() in ("true", "1"):
        found.unknown["loops, which play once"] += 1
    name = levels[-1].get("path", "")
    file = found.sample(path.parent, name) if name else None
    if file is None:
        found.missing.append(name or "a sample without a path")
        return
    root_note = round(number(merged.get("rootNote"), 60, "rootNote", path))
    low_key = round(number(merged.get("loNote"), root_note, "loNote", path))
    high_key = round(number(merged.get("hiNote"), low_key if "loNote" in merged else root_note, "hiNote", path))
    low, high = (round(number(merged.get(key), at, key, path)) for key, at in (("loVel", 1), ("hiVel", 127)))
    velocities = velocity_range(low, high)
    if velocities is None:
        found.left_out[NO_VELOCITY] += 1
        return
    velocity_track = max(0.0, min(1.0, number(merged.get("ampVelTrack"), 1.0, "ampVelTrack", path)))
    found.unknown.update(_heard(found, merged, file, velocity_track, velocities))
    for note in range(max(low_key, 0), min(high_key, 127) + 1):
        found.add(
            Region(
                file,
                (note,),
                re.sub(r" \d+-\d+$", "", levels[1].get("name", "")),
                *velocities,
                _gain_db(levels, path) + _velocity_gain_db(velocity_track, velocities[1]),
                max(-1.0, min(1.0, number(merged.get("pan"), 0.0, "pan", path) / 100)),
                _tune(merged, note - root_note, path),
                found.milliseconds(file, number(merged.get("start"), 0.0, "start", path)),
                merged.get("tags"),
                merged.get("silencedByTags"),
                merged.get("seqPosition", "") if merged.get("seqMode", "always") != "always" else "",
            )
        )


def _tune(merged: dict[str, str], distance: int, path: Path) -> float:
    """Return the semitones that a sample is tuned by on a key at a distance from its own."""
    tune = sum(number(merged.get(key), 0.0, key, path) for key in ("tuning", "groupTuning", "globalTuning"))
    return tune + number(merged.get("pitchKeyTrack"), 1.0, "pitchKeyTrack", path) * distance


def _why_not(merged: dict[str, str]) -> str:
    """Return why a sample does not sound for a note that is struck, or nothing."""
    if merged.get("enabled", "true").lower() in _OFF:
        return "groups that are switched off"
    if merged.get("trigger", "attack") not in ("attack", "first"):
        return f"samples that sound on {merged['trigger']}"
    return ""


def _heard(
    found: Found, merged: dict[str, str], file: Path, track: float, velocities: tuple[int, int]
) -> Iterator[str]:
    """Yield what is understood but cannot be taken over, where it would be heard."""
    if merged.get("ampEnvEnabled", "true").lower() not in _OFF:
        yield from heard_envelope(merged, "", 1.0, found.source)
    yield from heard_end(merged, file, found)
    yield from heard_tracking("ampVelTrack", track, velocities)


def _gain_db(levels: list[Element], path: Path) -> float:
    """Return the gain: each level's volume, in dB or as a factor."""
    gain = 0.0
    for level in levels:
        text = level.get("volume", "1")
        in_db = _VOLUME.match(text)
        if in_db:
            gain += number(in_db[1], 0.0, "volume in dB", path)
        else:
            gain += 20 * log10(max(number(text, 1.0, "volume", path), _LEAST_GAIN))
    return gain


def _velocity_gain_db(track: float, high: int) -> float:
    """Return the gain at the highest velocity, by how much the level follows it from 0 to 1."""
    return 20 * log10(max(1 - track * (1 - high / 127), _LEAST_GAIN))

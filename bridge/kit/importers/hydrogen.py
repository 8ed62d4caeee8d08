"""Hydrogen: `drumkit.xml` of any version, in a folder or packed as `.h2drumkit`."""

from math import log10
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from ghostnote.bridge.kit.importers.region import NO_VELOCITY, Found, Region, velocity_range
from ghostnote.bridge.kit.importers.xml import number, read_xml, text_of

_FIRST_NOTE: Final = 36
"""Kits that name no notes count them from here."""
_LEAST_GAIN: Final = 1e-3
_LEFT_AS_IT_IS: Final = {
    "randomPitchFactor": 0.0,
    "FX1Level": 0.0,
    "FX2Level": 0.0,
    "FX3Level": 0.0,
    "FX4Level": 0.0,
    "Attack": 0.0,
    "Decay": 0.0,
    "Sustain": 1.0,
}
"""Settings that were not taken over, and where they change nothing."""


def read_hydrogen(path: Path, root: Path) -> Found:
    """Return the regions of a Hydrogen kit, whose files lie in `root`; `KitError`."""
    kit = read_xml(path, ("drumkit_info", "drumkit"))
    found = Found(path, root, text_of(kit, "name") or path.parent.name)
    volumes = {text_of(each, "id"): _number(each, "volume", 1.0, path) for each in kit.iter("drumkitComponent")}
    for place, instrument in enumerate(kit.iter("instrument")):
        _read_instrument(found, instrument, place, volumes)
    return found


def _read_instrument(found: Found, instrument: Element, place: int, volumes: dict[str | None, float]) -> None:
    path = found.source
    name = text_of(instrument, "name") or f"Instrument {place + 1}"
    key = round(_number(instrument, "midiInNote", _number(instrument, "midiOutNote", _FIRST_NOTE + place, path), path))
    if not 0 <= key <= 127:
        found.left_out["instruments without a note"] += 1
        return
    _count_unknown(found, instrument)
    group = text_of(instrument, "muteGroup")
    choke = group if group not in (None, "", "-1") else None
    component, layers = _layers(instrument)
    volume = _volume(instrument, component, volumes, path)
    tracks = (text_of(instrument, "applyVelocity") or "true") == "true"
    for layer in layers:
        file_name = text_of(layer, "filename")
        velocities = _velocities(layer, path)
        if not file_name or velocities is None:
            found.left_out[NO_VELOCITY if file_name else "layers without a sample"] += 1
            continue
        file = found.sample(path.parent, file_name)
        if file is None:
            found.missing.append(file_name)
            continue
        gain = max(volume * _number(layer, "gain", 1.0, path), _LEAST_GAIN)
        found.add(
            Region(
                file,
                (key,),
                name,
                *velocities,
                20 * log10(gain * (velocities[1] / 127 if tracks else 1.0)),
                _pan(instrument, path),
                _number(layer, "pitch", 0.0, path) + _number(instrument, "pitchOffset", 0.0, path),
                choke=choke,
                choked_by=choke,
                turn=str(len(found.regions)),
            )
        )
    others = len(instrument.findall("instrumentComponent")) - 1
    if others > 0:
        found.left_out["further components, which are other microphones"] += others


def _volume(instrument: Element, component: Element | None, volumes: dict[str | None, float], path: Path) -> float:
    """Return the factor that an instrument's layers are played by, of one of its components or without one."""
    volume = _number(instrument, "volume", 1.0, path) * _number(instrument, "gain", 1.0, path)
    if component is None:
        return volume
    return volume * volumes.get(text_of(component, "component_id"), 1.0) * _number(component, "gain", 1.0, path)


def _layers(instrument: Element) -> tuple[Element | None, list[Element]]:
    """Return the first component that has layers, and them; old kits have layers alone, very old ones a file."""
    for component in instrument.findall("instrumentComponent"):
        if component.find("layer") is not None:
            return component, component.findall("layer")
    layers = instrument.findall("layer")
    return None, layers or ([instrument] if instrument.find("filename") is not None else [])


def _velocities(layer: Element, path: Path) -> tuple[int, int] | None:
    """Return a layer's velocities; where layers meet, the harder one begins above the softer one's last.

    None for a layer without any.
    """
    least, most = _number(layer, "min", 0.0, path), _number(layer, "max", 1.0, path)
    if least > most:
        return None
    low = min(int(least * 127) + 1 if least > 0 else 1, 127)
    return velocity_range(low, max(int(most * 127), low))


def _pan(instrument: Element, path: Path) -> float:
    """Return the place from -1 to 1; before version 1.1 each side had a gain from 0 to 1."""
    if instrument.find("pan") is not None:
        return max(-1.0, min(1.0, _number(instrument, "pan", 0.0, path)))
    left, right = (_number(instrument, f"pan_{side}", 1.0, path) for side in ("L", "R"))
    return max(-1.0, min(1.0, (right - left) / max(left, right, 1e-9)))


def _count_unknown(found: Found, instrument: Element) -> None:
    for tag, harmless in _LEFT_AS_IT_IS.items():
        if _number(instrument, tag, harmless, found.source) != harmless:
            found.unknown[tag] += 1
    for tag, off in (("filterActive", "false"), ("isStopNote", "false"), ("isHihat", "-1")):
        if (text_of(instrument, tag) or off) != off:
            found.unknown[tag] += 1


def _number(parent: Element, tag: str, default: float, path: Path) -> float:
    return number(text_of(parent, tag), default, tag, path)

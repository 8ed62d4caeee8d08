"""DrumGizmo: a kit of instruments recorded by many microphones, mixed down to stereo (drumgizmo.org)."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.printable import shortened, shown
from ghostnote.bridge.kit.importers.region import NO_VELOCITY, Channel, Found, Region, velocity_range
from ghostnote.bridge.kit.importers.xml import number, read_xml

_MOST_LAYERS: Final = 12
_LEFT: Final = re.compile(r"(?:^|[\W_\d])(?:l|left)$|left|[a-z]L$")
_RIGHT: Final = re.compile(r"(?:^|[\W_\d])(?:r|right)$|right|[a-z]R$")


@dataclass(frozen=True)
class _Instrument:
    """An instrument of the kit's file."""

    name: str
    file: Path
    outputs: dict[str, str]
    """The output that each of its channels goes to."""
    main: frozenset[str]
    """The outputs of the microphones that stand at the drum."""
    chokes: tuple[str, ...]


def read_drumgizmo(path: Path, root: Path, channels: Sequence[str] = ()) -> Found:
    """Return the regions of a DrumGizmo kit, whose files lie in `root`, of the chosen output channels; `KitError`.

    Without a choice each instrument's main channels are mixed, or all where none is marked.
    """
    kit = read_xml(path, ("drumkit",))
    metadata = kit.find("metadata")
    title = metadata.findtext("title") if metadata is not None else None
    found = Found(path, root, title or kit.get("name") or path.parent.name)
    names = [each.get("name", "") for each in kit.findall("./channels/channel")]
    wanted = _chosen(names, channels, path)
    instruments = [_instrument(found, each) for each in kit.findall("./instruments/instrument")]
    notes = _notes(found, kit)
    groups = _choke_groups(instruments)
    for instrument in instruments:
        keys = tuple(notes.get(instrument.name, ()))
        if keys:
            _read_instrument(found, instrument, keys, wanted, groups.get(instrument.name))
        else:
            found.left_out["instruments without a note in the MIDI map"] += 1
    if not channels and len(names) > 2:
        found.notes.append(
            f"each drum is mixed of its main channels, or all; --channels chooses among {shortened(', '.join(names))}"
        )
    return found


def _chosen(names: Sequence[str], channels: Sequence[str], path: Path) -> frozenset[str]:
    by_name = {name.casefold(): name for name in names}
    for channel in channels:
        if channel.casefold() not in by_name:
            raise KitError(f"{path}: has no channel {shown(channel)}; choose among {shortened(', '.join(names))}")
    return frozenset(by_name[channel.casefold()] for channel in channels)


def _instrument(found: Found, entry: Element) -> _Instrument:
    name, file_name = entry.get("name", ""), entry.get("file", "")
    file = found.sample(found.source.parent, file_name) if file_name else None
    if file is None:
        raise KitError(f"{found.source}: instrument {shown(name)} lacks its file {shown(file_name)}; put it back")
    maps = [(each.get("in", ""), each.get("out", ""), each.get("main") == "true") for each in entry.iter("channelmap")]
    return _Instrument(
        name,
        file,
        {inner: outer for inner, outer, _ in maps},
        frozenset(outer for _, outer, main in maps if main),
        tuple(each.get("instrument", "") for each in entry.iter("choke")),
    )


def _notes(found: Found, kit: Element) -> dict[str, list[int]]:
    """Return the notes of each instrument by the MIDI map that the kit names, or that lies beside it."""
    default = kit.find("./metadata/defaultmidimap")
    names = [default.get("src", "")] if default is not None else []
    beside = sorted(each.name for each in found.source.parent.glob("*midi*.xml"))
    for name in (*names, *beside):
        file = found.sample(found.source.parent, name) if name else None
        if file:
            notes: dict[str, list[int]] = defaultdict(list)
            for each in read_xml(file, ("midimap",)).iter("map"):
                note = round(number(each.get("note"), -1, "note", file))
                if 0 <= note <= 127:
                    notes[each.get("instr", "")].append(note)
            return notes
    raise KitError(f"{found.source}: has no MIDI map beside it; put midimap.xml into {found.source.parent}")


def _choke_groups(instruments: Sequence[_Instrument]) -> dict[str, str]:
    """Return a group for all instruments that choke one another, directly or by others."""
    group = {each.name: each.name for each in instruments if each.chokes}
    for each in instruments:
        for other in (name for name in each.chokes if name != each.name):
            old, new = group.get(other, other), group[each.name]
            group[other] = new
            group = {name: new if value == old else value for name, value in group.items()}
    return {name: value for name, value in group.items() if list(group.values()).count(value) > 1}


def _read_instrument(
    found: Found, instrument: _Instrument, keys: tuple[int, ...], wanted: frozenset[str], group: str | None
) -> None:
    table = read_xml(instrument.file, ("instrument",))
    samples = list(table.iter("sample"))
    velocities = _velocities(found, table, samples, instrument.file)
    if len({each.get("power") for each in samples}) > _MOST_LAYERS:
        found.notes.append(f"{instrument.name}: {len(samples)} strokes of as many powers became {_MOST_LAYERS} layers")
    for sample in samples:
        span = velocities[sample.get("name", "")]
        if span is None:
            found.left_out[NO_VELOCITY] += 1
            continue
        channels = [*_channels(found, instrument, sample, wanted)]
        if channels:
            found.add(
                Region(
                    channels[0].file,
                    keys,
                    instrument.name,
                    *span,
                    choke=group,
                    choked_by=group,
                    turn=str(len(found.regions)),
                    openness=_touch(sample, "openness", instrument.file),
                    position=_touch(sample, "position", instrument.file),
                    channels=tuple(channels),
                )
            )
        else:
            found.left_out["strokes without a chosen channel"] += 1


def _channels(found: Found, instrument: _Instrument, sample: Element, wanted: frozenset[str]) -> Iterator[Channel]:
    """Yield the channels of a stroke that are mixed; files that are not there are added to the missing ones."""
    for each in sample.iter("audiofile"):
        output = instrument.outputs.get(each.get("channel", ""), each.get("channel", ""))
        if output not in (wanted or instrument.main or {output}):
            continue
        name = each.get("file", "")
        file = found.sample(instrument.file.parent, name, instrument.file)
        if file is None:
            found.missing.append(name)
            continue
        at = round(number(each.get("filechannel"), 1, "filechannel", instrument.file)) - 1
        yield Channel(file, at, _side(output))


def _touch(sample: Element, key: str, path: Path) -> tuple[float, float] | None:
    """Return what a sample of the second version says of itself, from 0 to 1."""
    if sample.get(key) is None:
        return None
    value = round(max(0.0, min(1.0, number(sample.get(key), 0.0, key, path))), 4)
    return value, value


def _side(channel: str) -> int:
    lowered = channel.lower()
    if _LEFT.search(lowered) or re.search(r"[a-z]L$", channel):
        return -1
    return 1 if _RIGHT.search(lowered) or re.search(r"[a-z]R$", channel) else 0


def _velocities(
    found: Found, table: Element, samples: Sequence[Element], path: Path
) -> dict[str, tuple[int, int] | None]:
    """Return the velocities of each sample by name: of the first version's groups, or by its power."""
    ranges: dict[str, tuple[int, int] | None] = {}
    for group in table.iter("velocity"):
        low, high = (number(group.get(key), at, key, path) for key, at in (("lower", 0.0), ("upper", 1.0)))
        strokes = list(group.iter("sampleref"))
        if len({number(each.get("probability"), 1.0, "probability", path) for each in strokes}) > 1:
            found.unknown["probability: strokes come equally often"] += len(strokes)
        for each in strokes:
            ranges[each.get("name", "")] = _group_velocities(low, high)
    powers = {each.get("name", ""): _power(found, each, path) for each in samples}
    steps = _steps(sorted(set(powers.values())))
    # Powers are velocities from 0 to 1, or any measure that grows with them.
    scale = 127.0 if 0.5 <= steps[-1][-1] <= 1.0 else 127.0 / max(steps[-1][-1], 1e-9)
    centres = [scale * sum(step) / len(step) for step in steps] if steps else []
    tops = [*(int((one + two) / 2) for one, two in pairwise(centres)), 127]
    of = {power: at for at, step in enumerate(steps) for power in step}
    for name, power in powers.items():
        at = of[power]
        low = tops[at - 1] + 1 if at else 1
        ranges.setdefault(name, (min(low, 127), max(tops[at], min(low, 127))))
    return ranges


def _group_velocities(low: float, high: float) -> tuple[int, int] | None:
    """Return the velocities of a group from 0 to 1, which begins above the one that ends there; None for none."""
    if low > high:
        return None
    top = max(round(high * 127), 1)
    return velocity_range(min(round(low * 127) + (low > 0), top), top)


def _power(found: Found, sample: Element, path: Path) -> float:
    """Return a sample's power, 0 or more; one below counts as 0, and is counted as not understood."""
    power = number(sample.get("power"), 1.0, "power", path)
    if power < 0:
        found.unknown["power below 0"] += 1
    return max(power, 0.0)


def _steps(powers: list[float]) -> list[list[float]]:
    """Return rising powers as layers, neighbours together where they are many."""
    count = min(len(powers), _MOST_LAYERS)
    return [powers[len(powers) * at // count : len(powers) * (at + 1) // count] for at in range(count)] or [[1.0]]

"""Regions of other samplers as the pads of a kit."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath

from ghostnote.bridge.classify.names import parse_name
from ghostnote.bridge.classify.sounds import measure
from ghostnote.bridge.drums import CLASSES, class_from_name
from ghostnote.bridge.io.hit_files import distinct_name
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.kit.choke import HATS
from ghostnote.bridge.kit.fields import MOST_TEXT, usable_text
from ghostnote.bridge.kit.hits import HIT_RANGES, PadHit
from ghostnote.bridge.kit.importers.region import Found, Region
from ghostnote.bridge.kit.kit import DEFAULT_SEED, Pad, pad_seed

_NOTE_CLASSES = {note: kind.name for kind in CLASSES for note in kind.notes}


@dataclass(frozen=True)
class _Drum:
    """What will be a pad: notes that play the same strokes."""

    keys: tuple[int, ...]
    regions: tuple[Region, ...]


def pads_of(found: Found) -> tuple[Pad, ...]:
    """Return the pads of a kit's regions, in their order; what had to be decided is added to the kit's notes."""
    drums = _drums(found)
    taken: set[str] = set()
    pads, by_note, by_sound = [], [], []
    for drum in drums:
        name = distinct_name(_name(drum), taken, most=MOST_TEXT)
        stem = drum.regions[0].file.stem
        kind = class_from_name(name) or class_from_name(stem) or _NOTE_CLASSES.get(drum.keys[0])
        if kind is None:
            kind = measure(drum.regions[-1].file).guess.drum_class
            by_sound.append(f"{name} ({kind})")
        elif not (class_from_name(name) or class_from_name(stem)):
            by_note.append(f"{name} ({kind})")
        pads.append(_with_hits(Pad(name, drum.keys, kind, seed=pad_seed(DEFAULT_SEED, name)), drum, found))
    for names, what in ((by_note, "General MIDI's for its note"), (by_sound, "that of its sound")):
        if names:
            found.notes.append(f"no name says the class, so it is {what}: {', '.join(names)}")
    chokes = _chokes(drums, [pad.drum_class for pad in pads], found)
    return tuple(replace(pad, choke=choke) for pad, choke in zip(pads, chokes, strict=True))


def _drums(found: Found) -> list[_Drum]:
    """Return the regions key by key; keys that play the same strokes are one drum."""
    by_key: dict[int, list[Region]] = defaultdict(list)
    for region in found.regions:
        for key in region.keys:
            by_key[key].append(replace(region, keys=()))
    keys_of: dict[tuple[Region, ...], list[int]] = defaultdict(list)
    doubled: set[Region] = set()
    for key, regions in by_key.items():
        keys_of[_alternatives(regions, doubled)].append(key)
    if doubled:
        found.left_out["regions that sound together with another, as further microphones do"] += len(doubled)
    several = sum(len({region.drum for region in regions}) > 1 for regions in keys_of)
    overlapping = sum(map(_overlap, keys_of))
    if several:
        found.notes.append(
            f"on {counted(several, 'note')} several drums sound together in the source: here their strokes alternate"
        )
    elif overlapping:
        found.notes.append(
            f"on {counted(overlapping, 'note')} ranges of velocity overlap: there the strokes of both alternate"
        )
    return [_Drum(tuple(keys), regions) for regions, keys in keys_of.items()]


def _alternatives(regions: Sequence[Region], doubled: set[Region]) -> tuple[Region, ...]:
    """Return the regions of a key of which one sounds at a time: of those that sound together the first."""
    first: dict[object, Region] = {}
    for region in regions:
        kept = first.setdefault((region.turn, region.low, region.high, region.openness, region.position), region)
        if kept != region:
            doubled.add(region)
    return tuple(first.values())


def _overlap(regions: Sequence[Region]) -> bool:
    """Return whether ranges of velocity overlap that are not the same, of the same openness and position."""
    zones: dict[object, set[tuple[int, int]]] = defaultdict(set)
    for region in regions:
        zones[region.openness, region.position].add((region.low, region.high))
    return any(two[0] <= one[1] for zone in zones.values() for one, two in pairwise(sorted(zone)))


def _name(drum: _Drum) -> str:
    """Return what a drum is called in its kit, or else by its first file."""
    first = drum.regions[0]
    name = first.drum or parse_name(PurePosixPath(first.file.name)).title
    return usable_text(name) or f"Note {drum.keys[0]}"


def _with_hits(pad: Pad, drum: _Drum, found: Found) -> Pad:
    """Return the pad with its strokes; what they have in common, gain and place, is the pad's own."""
    hardest = max(drum.regions, key=lambda region: region.high)
    pans = {region.pan for region in drum.regions}
    pan = pans.pop() if len(pans) == 1 else 0.0
    gain = round(_within("gain_db", hardest.gain_db, found), 2)
    hits = []
    for region in drum.regions:
        tune, offset = round(_within("tune", region.tune, found), 4), round(_within("offset", region.offset, found), 3)
        relative = round(_within("gain_db", region.gain_db - gain, found), 2) + 0.0
        own = (region.file, region.low, region.high, relative, round(region.pan - pan, 4), tune, offset)
        hits.append(PadHit(*own, region.openness, region.position))
    pad = replace(pad, gain_db=gain, pan=round(pan, 4))
    if hits == [PadHit(hits[0].file, hits[0].low, 127)]:
        return replace(pad, hit=hits[0].file)
    return replace(pad, hits=tuple(sorted(hits, key=lambda hit: (hit.high, hit.low))))


def _within(key: str, value: float, found: Found) -> float:
    """Return a number within the range that pads have for it, and count where that changes it."""
    low, high = HIT_RANGES[key]
    if not low <= value <= high:
        found.unknown[f"{key} beyond {low:g} to {high:g}"] += 1
    bounded: float = max(low, min(high, value)) + 0.0
    return bounded


def _chokes(drums: Sequence[_Drum], classes: Sequence[str], found: Found) -> list[str | None]:
    """Return each drum's choke group; groups that choke one way do so both ways here."""
    own = [_tags(drum, "choke") for drum in drums]
    enders = [_tags(drum, "choked_by") for drum in drums]
    group = list(range(len(drums)))
    one_way = 0
    for at, tags in enumerate(enders):
        for other in (other for other in range(len(drums)) if other != at and tags & own[other]):
            one_way += not enders[other] & own[at]
            group = [group[at] if each == group[other] else each for each in group]
    if one_way:
        found.notes.append(f"chokes that go one way in the source go both ways here, of {counted(one_way, 'drum')}")
    words: dict[int, str] = {}
    for number in dict.fromkeys(group):
        members = [at for at, each in enumerate(group) if each == number]
        if len(members) > 1:
            hats = all(classes[at] in HATS for at in members)
            words[number] = "hats" if hats and "hats" not in words.values() else f"choke {len(words) + 1}"
    return [words.get(each) for each in group]


def _tags(drum: _Drum, field: str) -> set[str]:
    found = (getattr(region, field) for region in drum.regions)
    return {tag.strip() for text in found if text for tag in text.split(",") if tag.strip()}

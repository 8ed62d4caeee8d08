"""A take: what was played live as a MIDI file, with all that is needed to make the same sound again.

The notes are there for any program. Beside each stands a sequencer-specific event with the stroke as the
pool had made it, so that `ghostnote render` need not guess. One tick is one frame.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ghostnote.bridge.dsp.effects import Effect
from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.kit.fields import RANGES, check_class, check_kind, check_name, check_number, check_switch
from ghostnote.bridge.kit.hits import HIT_RANGES, TOUCH, PadHit, check_range
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.take.files import TakeFiles
from ghostnote.bridge.midi.smf_tracks import MAX_EVENTS, own_events

TAKE_VERSION: Final = 2
"""1 for takes without effects, which that version knew not."""
MAX_TAKE_SECONDS: Final = 24 * 3600
"""A take that claims more is damaged: rendered, it would fill the disk."""
RATES_HZ: Final = (8_000, 192_000)

_MOST_GAIN: Final = 1_000.0
_MOST_INDEX: Final = 2**63 - 1

MARK: Final = b"\x7dghostnote "
"""MIDI's number for use without a manufacturer, and our name."""


@dataclass(frozen=True, slots=True)
class TakeStroke:
    """A stroke that was played."""

    frame: int
    pad: Pad
    """The settings it was made with."""
    index: int
    velocity: int
    """The velocity it was made at."""
    gains: tuple[float, float]
    """Left and right, as it was mixed."""
    channel: int | None = None
    """The MIDI channel of its note, if that is known."""


@dataclass(frozen=True, slots=True)
class TakeFade:
    """The moment from which these pads' voices, or those of one channel's notes, faded."""

    frame: int
    pads: tuple[str, ...]
    seconds: float
    channel: int | None = None
    younger: float | None = None
    """Those alone that began within so many seconds before."""


@dataclass(frozen=True, slots=True)
class TakeEffects:
    """The moment from which the pads and the mix had these effects."""

    frame: int
    effects: Mapping[str, tuple[Effect, ...]]
    """As `Kit.all_effects`."""


TakeEvent = TakeStroke | TakeFade | TakeEffects


@dataclass(frozen=True)
class Take:
    """All that was played."""

    rate: int
    end_frame: int
    limiter: bool
    events: tuple[TakeEvent, ...]

    @property
    def kit(self) -> Kit:
        """The pads that played, each name once, for the stems and the mixer."""
        pads: dict[str, Pad] = {}
        for event in self.events:
            if isinstance(event, TakeStroke):
                pads.setdefault(event.pad.name, event.pad)
        return Kit("take", 0, tuple(pads.values()))


def is_take(path: Path) -> bool:
    """Return whether a file holds a take, whatever it needs to be played."""
    return bool(_marks(path))


def read_take(path: Path, kit: Path | None = None) -> Take | None:
    """Return the take in a MIDI file; None for a file of another origin, or one that is damaged.

    Its hits must lie in its own folder, in that of the kit file `kit`, or below: a MIDI file from elsewhere plays no
    other file. `MidiFileError` for a take of a later version, or one that lacks a hit.
    """
    marks = _marks(path)
    if not marks:
        return None
    try:
        return _take(marks, path, kit)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise MidiFileError(f"{path}: the take in it is damaged ({error!r}); play it anew") from error


def _marks(path: Path) -> list[dict[str, Any]]:
    """Return a take's events; none for anything that is not a whole MIDI file with a take."""
    try:
        events = (data[len(MARK) :] for data in own_events(path) if data.startswith(MARK))
        return [json.loads(text) for text in islice(events, MAX_EVENTS)]
    except (MidiFileError, ValueError, RecursionError):
        # Whether it can be played at all, `read_midi` says.
        return []


def _take(marks: list[dict[str, Any]], path: Path, kit: Path | None) -> Take:
    head = marks[0]
    if head["take"] > TAKE_VERSION:
        raise MidiFileError(f"{path}: is a take of a later version of ghostnote; install that")
    rate = int(_within("rate", head["rate"], *RATES_HZ))
    longest = MAX_TAKE_SECONDS * rate
    pads: dict[int, Pad] = {}
    events: list[TakeEvent] = []
    files = TakeFiles(path, kit)
    for mark in marks[1:]:
        if "pad" in mark:
            pads[mark["id"]] = _pad_from(mark["pad"], files)
            continue
        frame = int(_within("frame", mark["frame"], 0, longest))
        if "effects" in mark:
            events.append(TakeEffects(frame, {name: files.effects(each) for name, each in mark["effects"].items()}))
            continue
        channel = int(_within("channel", mark["channel"], 0, 15)) if "channel" in mark else None
        if "fade" in mark:
            seconds = _within("seconds", mark["seconds"], 0, MAX_TAKE_SECONDS)
            younger = _within("younger", mark["younger"], 0, MAX_TAKE_SECONDS) if "younger" in mark else None
            events.append(TakeFade(frame, tuple(mark["fade"]), seconds, channel, younger))
        else:
            left, right = (_within("gains", gain, 0, _MOST_GAIN) for gain in mark["gains"])
            index = int(_within("index", mark["index"], 0, _MOST_INDEX))
            velocity = check_number("velocity", mark["velocity"])
            events.append(TakeStroke(frame, pads[mark["of"]], index, velocity, (left, right), channel))
    return Take(rate, int(_within("end", head["end"], 0, longest)), bool(head["limiter"]), tuple(events))


def _within(key: str, value: float, low: float, high: float) -> float:
    """Return a number within bounds; `ValueError` for any other, NaN too."""
    if not low <= value <= high:
        raise ValueError(f"{key} = {value}, but it must lie between {low:g} and {high:g}")
    return value


def _pad_from(table: dict[str, Any], files: TakeFiles) -> Pad:
    hit = files.hit(table["hit"]) if table["hit"] else None
    # Earlier takes lack what pads had not yet.
    checked = {key: check_number(key, table[key]) for key in RANGES if table.get(key) is not None}
    checked |= {"reverse": check_switch("reverse", table["reverse"])} if "reverse" in table else {}
    checked |= {"kind": check_kind(table["kind"]).name} if table.get("kind") is not None else {}
    hits = tuple(_recorded(each, files) for each in table.get("hits", ()))
    checked |= {"name": check_name("name", table["name"]), "drum_class": check_class(table["drum_class"])}
    checked |= {"notes": tuple(table["notes"]), "hit": hit, "hits": hits, "effects": (), "out": None}
    return replace(Pad("", (), ""), **{**table, **checked})


def _recorded(table: dict[str, Any], files: TakeFiles) -> PadHit:
    """Return one of a pad's recorded strokes."""
    low, high = (check_number("velocity", table[key]) for key in ("low", "high"))
    numbers = {key: check_number(key, table[key], HIT_RANGES) for key in HIT_RANGES}
    numbers |= {key: check_range(key, table[key]) for key in TOUCH if table.get(key) is not None}
    return PadHit(files.hit(table["file"]), low, high, **numbers)

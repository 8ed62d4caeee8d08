"""A take: what was played live as a MIDI file, with all that is needed to make the same sound again.

The notes are there for any program. Beside each stands a sequencer-specific event with the stroke as the
pool had made it, so that `ghostnote render` need not guess. One tick is one frame.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import mido

from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.kit.kit import Kit, Pad

TAKE_VERSION: Final = 1

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


@dataclass(frozen=True, slots=True)
class TakeFade:
    """The moment from which these pads' voices faded."""

    frame: int
    pads: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Take:
    """All that was played."""

    rate: int
    end_frame: int
    limiter: bool
    events: tuple[TakeStroke | TakeFade, ...]

    @property
    def kit(self) -> Kit:
        """The pads that played, each name once, for the stems and the mixer."""
        pads: dict[str, Pad] = {}
        for event in self.events:
            if isinstance(event, TakeStroke):
                pads.setdefault(event.pad.name, event.pad)
        return Kit("take", 0, tuple(pads.values()))


def read_take(path: Path) -> Take | None:
    """Return the take in a MIDI file; None for a file of another origin, or one that is damaged.

    `MidiFileError` for a take of a later version, or one that lacks a hit.
    """
    try:
        song = mido.MidiFile(path)
        marks = [json.loads(text) for track in song.tracks for text in _marks(track)]
    except Exception:
        # Anything that is not a whole MIDI file is not a take; whether it can be played at all, `read_midi` says.
        return None
    if not marks:
        return None
    try:
        return _take(marks, path)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise MidiFileError(f"{path}: the take in it is damaged ({error!r}); play it anew") from error


def _marks(track: Any) -> Iterator[str]:
    for message in track:
        if message.type == "sequencer_specific" and bytes(message.data).startswith(MARK):
            yield bytes(message.data)[len(MARK) :].decode()


def _take(marks: list[dict[str, Any]], path: Path) -> Take:
    head = marks[0]
    if head["take"] > TAKE_VERSION:
        raise MidiFileError(f"{path}: is a take of a later version of ghostnote; install that")
    pads: dict[int, Pad] = {}
    events: list[TakeStroke | TakeFade] = []
    for mark in marks[1:]:
        if "pad" in mark:
            pads[mark["id"]] = _pad_from(mark["pad"], path)
        elif "fade" in mark:
            events.append(TakeFade(mark["frame"], tuple(mark["fade"]), mark["seconds"]))
        else:
            left, right = mark["gains"]
            stroke = TakeStroke(mark["frame"], pads[mark["of"]], mark["index"], mark["velocity"], (left, right))
            events.append(stroke)
    return Take(head["rate"], head["end"], head["limiter"], tuple(events))


def _pad_from(table: dict[str, Any], path: Path) -> Pad:
    hit = Path(table["hit"]) if table["hit"] else None
    if hit and not hit.is_file():
        raise MidiFileError(f"{path}: the hit {hit} of pad '{table['name']}' is not there any more")
    return replace(Pad("", (), ""), **{**table, "notes": tuple(table["notes"]), "hit": hit})

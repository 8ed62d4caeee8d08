"""Zones: a pad's recorded strokes by how open the hi-hat is, and by where on the drum they were struck."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ghostnote.bridge.kit.choke import HATS
from ghostnote.bridge.kit.hits import PadHit, Range
from ghostnote.bridge.kit.kit import Pad, pad_seed

_MOST_VALUES: Final = 8
"""More values of one kind, as where every stroke was measured, are brought to so many equal steps."""
_NOTE_OPENNESS: Final = {42: 0.0, 44: 0.0, 46: 1.0}
"""How open General MIDI's notes of a hi-hat say that it is, until its pedal says it."""
_FULL: Final = 127


@dataclass(frozen=True)
class Zone:
    """A pad with the strokes of one openness and position alone; all of it where its strokes say neither."""

    pad: Pad
    openness: Range | None = None
    position: Range | None = None

    def distance(self, openness: float, position: float) -> tuple[float, float]:
        """Return how far a stroke lies outside: the openness counts first."""
        return _distance(self.openness, openness), _distance(self.position, position)


def zones_of(pad: Pad) -> tuple[Zone, ...]:
    """Return a pad's zones, one or more; strokes that do not say an openness or position are in all of it."""
    found = [
        Zone(replace(pad, hits=hits), openness, position)
        for openness, part in _parts(pad.hits, "openness")
        for position, hits in _parts(part, "position")
    ]
    if len(found) < 2:
        return (Zone(pad),)
    # Zones after the first have seeds of their own, so that no two deviate alike.
    return tuple(
        replace(zone, pad=replace(zone.pad, seed=pad_seed(pad.seed, f"{pad.name} {at}"))) if at else zone
        for at, zone in enumerate(found)
    )


def nearest_zone(zones: Sequence[Zone], note: int | None, pedal: int | None, position: float | None) -> int:
    """Return the place of the zone that a stroke plays.

    `pedal` is controller 4, 0 open to 127 closed; without it the note says how open the hi-hat is, or else the class.
    So it does where a note of the closed hi-hat comes with the pedal all open, as a sequencer sends it at the start.
    The `position` is from 0, the centre, to 1, the edge; without it the centre.
    """
    if len(zones) < 2:
        return 0
    openness = _NOTE_OPENNESS.get(note or 0, 0.0 if zones[0].pad.drum_class in HATS - {"open_hat"} else 1.0)
    if pedal is not None and (pedal or openness):
        openness = 1 - pedal / _FULL
    return min(range(len(zones)), key=lambda at: zones[at].distance(openness, position or 0.0))


def usual_zone(pad: Pad) -> Pad:
    """Return the pad with the strokes that its first note plays where no controller says more."""
    zones = zones_of(pad)
    return zones[nearest_zone(zones, next(iter(pad.notes), None), None, None)].pad


def least_openness(zones: Sequence[Zone]) -> float:
    """Return how open the most closed strokes of a pad are; 1 where none says it."""
    return min((zone.openness[0] for zone in zones if zone.openness), default=1.0)


def most_openness(zones: Sequence[Zone]) -> float:
    """Return how open the most open strokes of a pad are; 0 where none says it."""
    return max((zone.openness[1] for zone in zones if zone.openness), default=0.0)


def _distance(wanted: Range | None, value: float) -> float:
    return max(wanted[0] - value, value - wanted[1], 0.0) if wanted else 0.0


def _parts(hits: Sequence[PadHit], key: str) -> list[tuple[Range | None, tuple[PadHit, ...]]]:
    """Return the values that strokes have for a key, and the strokes of each: with those that have none."""
    said: list[Range | None] = [getattr(hit, key) for hit in hits]
    if len({value for value in said if value}) > _MOST_VALUES:
        said = [value and _stepped(value) for value in said]
    values = sorted({value for value in said if value})
    if not values:
        return [(None, tuple(hits))]
    return [
        (value, tuple(hit for hit, own in zip(hits, said, strict=True) if own in (None, value))) for value in values
    ]


def _stepped(value: Range) -> Range:
    steps = _MOST_VALUES - 1
    middle = round((value[0] + value[1]) / 2 * steps) / steps
    return middle, middle

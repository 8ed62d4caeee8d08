"""The events that a kit plays, as plain data: notes, chokes and controller moves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A stroke: `velocity` 1..127 on a MIDI `note` 0..127, `frame` frames from time zero."""

    frame: int
    note: int
    velocity: int


@dataclass(frozen=True, slots=True)
class PedalMove:
    """Controller 4: the hi-hat pedal, 0 open to 127 closed."""

    frame: int
    position: int


@dataclass(frozen=True, slots=True)
class Aftertouch:
    """Polyphonic pressure above 0 on a note: a hand on the cymbal chokes it."""

    frame: int
    note: int
    pressure: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Controller 120 or 123: everything fades."""

    frame: int


Event = NoteOn | PedalMove | Aftertouch | Silence

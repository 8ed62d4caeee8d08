"""The events that a kit plays, as plain data: notes, chokes and controller moves."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

DRUM_CHANNEL: Final = 9
"""Channel 10 of the keyboards, on which General MIDI has its drums."""
_CONTROLLER: Final = 0xB0
_PEDAL, _POSITION, _ALL_SOUND_OFF = 4, 16, 120


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A stroke: `velocity` 1..127 on a MIDI `note` 0..127, `frame` frames from time zero."""

    frame: int
    note: int
    velocity: int
    channel: int = DRUM_CHANNEL
    replaces: bool = False
    """Whether it is the same stroke as one that has just begun, and louder: it takes that one's place."""
    position: float | None = None
    """Where the drum is struck, from 0 the centre to 1 the edge, if that is known."""


@dataclass(frozen=True, slots=True)
class PedalMove:
    """Controller 4: the hi-hat pedal of a channel's notes, 0 open to 127 closed."""

    frame: int
    position: int
    channel: int = DRUM_CHANNEL


@dataclass(frozen=True, slots=True)
class Aftertouch:
    """Pressure above 0 on a note, or on all of a channel where `note` is None: a hand on the cymbal chokes it."""

    frame: int
    note: int | None
    pressure: int
    channel: int = DRUM_CHANNEL


@dataclass(frozen=True, slots=True)
class Silence:
    """Controller 120: a channel's notes fade; those of every channel where it is None."""

    frame: int
    channel: int | None = None


Event = NoteOn | PedalMove | Aftertouch | Silence


class PositionReader:
    """Remembers controller 16 of each channel, which comes before a note and says where the drum is struck."""

    def __init__(self) -> None:
        """Start with no position known."""
        self._of_channel: dict[int, float] = {}

    def event(self, frame: int, status: int, data: bytes) -> Event | None:
        """Return what a channel message means to a kit as `event_of`, a note with its position."""
        if says_position(status, data):
            self._of_channel[status & 0x0F] = data[1] / 127
        event = event_of(frame, status, data)
        position = self._of_channel.get(status & 0x0F)
        return replace(event, position=position) if isinstance(event, NoteOn) and position is not None else event


def says_position(status: int, data: bytes) -> bool:
    """Return whether a message says where the next note of its channel strikes the drum."""
    return status & 0xF0 == _CONTROLLER and data[0] == _POSITION


def event_of(frame: int, status: int, data: bytes) -> Event | None:
    """Return what a channel message means to a kit, None for nothing: a status byte, and the bytes after it.

    Controller 123 lets every key go, and a hit is a one-shot: that means nothing to it, as a note-off does.
    """
    make = _EVENTS.get(status & 0xF0)
    return make(frame, status & 0x0F, *data) if make else None


def _controller(frame: int, channel: int, number: int, value: int) -> Event | None:
    if number == _PEDAL:
        return PedalMove(frame, value, channel)
    return Silence(frame, channel) if number == _ALL_SOUND_OFF else None


def _pressure(frame: int, channel: int, *data: int) -> Event | None:
    """Return the pressure on a note, or on a channel where there is no note in `data`."""
    *note, pressure = data
    return Aftertouch(frame, note[0] if note else None, pressure, channel) if pressure else None


_EVENTS: Final[dict[int, Callable[..., Event | None]]] = {
    0x90: lambda frame, channel, note, velocity: NoteOn(frame, note, velocity, channel) if velocity else None,
    0xA0: _pressure,
    _CONTROLLER: _controller,
    0xD0: _pressure,
}

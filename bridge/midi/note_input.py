"""What live MIDI means to a kit: which channel's notes, and which drum each note is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ghostnote.bridge.midi.events import Aftertouch, Event, NoteOn, PositionReader


@dataclass(frozen=True)
class NoteInput:
    """Reads channel messages as events of a kit."""

    channel: int | None = None
    """The channel whose events count, from 0; None is any."""
    note_map: Mapping[int, int] = field(default_factory=dict)
    """The General MIDI note of each note that means another."""

    _reader: PositionReader = field(default_factory=PositionReader, compare=False)

    def event(self, message: bytes) -> Event | None:
        """Return what a channel message asks of the kit, at frame 0; None for nothing."""
        event = self._reader.event(0, message[0], message[1:])
        if event is None or (self.channel is not None and event.channel != self.channel):
            return None
        if isinstance(event, NoteOn | Aftertouch) and event.note is not None:
            return replace(event, note=self.note_map.get(event.note, event.note))
        return event

"""The demo's groove: four bars that use the whole kit, written as a table."""

import struct
from collections.abc import Iterator
from typing import Final

from ghostnote.bridge.midi.events import DRUM_CHANNEL, Event, NoteOn
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.midi.smf_tracks import END_OF_TRACK, META, SET_TEMPO
from ghostnote.bridge.midi.spec import variable_length

TEMPO_BPM: Final = 104.0
SWING: Final = 0.12
"""How far every second sixteenth is late, in sixteenths."""

_STEPS: Final = 16
_PPQ: Final = 480
_FILE_PPQ: Final = 1200
"""Ticks a beat in a file: so many that the swing is a whole number of them."""
_NOTE_ON: Final = 0x90

# One line a bar and drum, one character a sixteenth: a digit is a velocity, 9 the hardest.
_BARS: Final[tuple[dict[int, str], ...]] = (
    {49: "8...............", 42: "..5.7.5.7.5.7.5.", 36: "9.....7.7.......", 38: "....8..2.2..8..1"},
    {42: "7.5.7.5.7.5.7...", 46: "..............7.", 36: "9.....7...7.....", 38: "....8..2.1..8.2."},
    {42: "734373437343734.", 44: "...............5", 36: "9..6....7.7.....", 38: "....8..2.2..8..2"},
    {
        42: "7.5.7.5.........",
        46: "......6.........",
        36: "9.....7.8.......",
        38: "....8..257......",
        48: "..........77....",
        45: "............86..",
        41: "..............89",
    },
    {49: "9...............", 36: "9..............."},
)
_END: Final = (len(_BARS) - 1) * _STEPS + 4
"""Where the groove ends, in sixteenths."""


def groove(rate: int, tempo_bpm: float = TEMPO_BPM) -> MidiSong:
    """Return four bars of General MIDI drums and the beat that ends them, at `rate` frames a second."""
    step_frames = rate * 60 / tempo_bpm / 4
    events: list[Event] = [NoteOn(round(at * step_frames), note, velocity) for at, note, velocity in _notes()]
    return MidiSong(tuple(events), round(_END * step_frames), rate, _PPQ)


def groove_file(tempo_bpm: float = TEMPO_BPM) -> bytes:
    """Return the same as a MIDI file of type 0, on the drums' channel."""
    step_ticks, kind = _FILE_PPQ / 4, _NOTE_ON | DRUM_CHANNEL
    tempo = struct.pack(">I", round(60e6 / tempo_bpm))[1:]
    entries = [(0, bytes((META, SET_TEMPO, len(tempo))) + tempo)]
    for at, note, velocity in _notes():
        # A velocity of 0 ends the note.
        entries += [(round(at * step_ticks), bytes((kind, note, velocity)))]
        entries += [(round((at + 0.5) * step_ticks), bytes((kind, note, 0)))]
    entries = [*sorted(entries, key=lambda entry: entry[0]), (round(_END * step_ticks), bytes((META, END_OF_TRACK, 0)))]
    ticks = [0, *(tick for tick, _ in entries)]
    track = b"".join(variable_length(tick - ticks[number]) + data for number, (tick, data) in enumerate(entries))
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, _FILE_PPQ)
    return header + struct.pack(">4sI", b"MTrk", len(track)) + track


def _notes() -> Iterator[tuple[float, int, int]]:
    """Yield each note: its time in sixteenths, its number and its velocity."""
    for bar, lines in enumerate(_BARS):
        for step in range(_STEPS):
            for note, line in lines.items():
                if line[step] != ".":
                    yield bar * _STEPS + step + SWING * (step % 2), note, 14 * int(line[step]) + 1

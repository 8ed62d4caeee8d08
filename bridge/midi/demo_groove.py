"""The demo's groove: four bars that use the whole kit, written as a table."""

from typing import Final

from ghostnote.bridge.midi.events import Event, NoteOn
from ghostnote.bridge.midi.smf_reader import MidiSong

TEMPO_BPM: Final = 104.0
SWING: Final = 0.12
"""How far every second sixteenth is late, in sixteenths."""

_STEPS: Final = 16
_PPQ: Final = 480

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


def groove(rate: int, tempo_bpm: float = TEMPO_BPM) -> MidiSong:
    """Return four bars of General MIDI drums and the beat that ends them, at `rate` frames a second."""
    step_frames = rate * 60 / tempo_bpm / 4
    events: list[Event] = [
        NoteOn(round((bar * _STEPS + step + SWING * (step % 2)) * step_frames), note, 14 * int(mark) + 1)
        for bar, lines in enumerate(_BARS)
        for step in range(_STEPS)
        for note, line in lines.items()
        for mark in line[step].strip(".")
    ]
    end = round(((len(_BARS) - 1) * _STEPS + 4) * step_frames)
    return MidiSong(tuple(events), end, rate, _PPQ)

"""The grid's pattern: sixteen steps a pad, with tempo, swing and a drummer's deviations; and what it plays."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import mido

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.midi.events import DRUM_CHANNEL, NoteOn
from ghostnote.bridge.midi.groove import placing
from ghostnote.bridge.midi.humanize import Feel, humanize_song
from ghostnote.bridge.midi.smf_reader import MidiSong

STEPS: Final = 16
BARS: Final = 8
"""Bars that are humanized together: a drummer's deviations are correlated over seconds."""
RATE: Final = 48_000
"""Frames a second of the songs here."""
RANGES: Final[Mapping[str, tuple[float, float]]] = {"tempo": (30, 300), "swing": (50, 75), "humanize": (0, 2)}
"""Lowest and highest value of each number."""

_STEPS_A_BEAT: Final = 4
_PPQ: Final = 960
_TIMING_MS, _DYNAMICS = 4.0, 6.0
"""What `humanize` 1 is: a good drummer's."""
_MOST_ROWS: Final = 128
_NOTE_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Pattern:
    """A bar of sixteenths."""

    rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """For each pad, by its name in addresses, the velocity of each step, 0 for none."""
    tempo: float = 104.0
    """Beats a minute."""
    swing: float = 50.0
    """Where every second sixteenth falls: 50 straight, 67 a triplet."""
    humanize: float = 0.5
    """How far timing and velocities deviate: 0 not at all, 1 as a good drummer's."""
    seed: int = 1
    """Another seed, other deviations."""

    @property
    def bar_seconds(self) -> float:
        """How long a bar is."""
        return STEPS / _STEPS_A_BEAT * 60 / self.tempo


def changed(pattern: Pattern, change: Mapping[str, Any]) -> Pattern:
    """Return a pattern with what a page changed; `InputError` for a value out of range.

    `rows` replaces rows, one by one; `clear` empties all.
    """
    if change.get("clear"):
        pattern = replace(pattern, rows={})
    numbers = {"tempo": pattern.tempo, "swing": pattern.swing, "humanize": pattern.humanize}
    for name, (low, high) in RANGES.items():
        if name in change:
            value = change[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise InputError(f"{name} = {value!r}, but it must be a number from {low:g} to {high:g}")
            numbers[name] = float(value)
    pattern = replace(pattern, tempo=numbers["tempo"], swing=numbers["swing"], humanize=numbers["humanize"])
    rows = change.get("rows", {})
    if not isinstance(rows, dict) or len(rows) + len(pattern.rows) > _MOST_ROWS:
        raise InputError(f"rows must be of at most {_MOST_ROWS} pads")
    checked = {str(pad)[:200]: _row(steps) for pad, steps in rows.items()}
    kept = {pad: steps for pad, steps in {**pattern.rows, **checked}.items() if any(steps)}
    return replace(pattern, rows=kept)


def _row(steps: object) -> tuple[int, ...]:
    if not isinstance(steps, list) or len(steps) != STEPS:
        raise InputError(f"a row has {STEPS} steps")
    for velocity in steps:
        if isinstance(velocity, bool) or not isinstance(velocity, int) or not 0 <= velocity <= 127:
            raise InputError(f"a step is {velocity!r}, but it must be a velocity from 0 to 127")
    return tuple(steps)


def kit_of(pads: Sequence[Mapping[str, Any]]) -> Kit:
    """Return what of a kit a pattern's timing depends on: pads by their names in addresses, as the daemon tells."""
    return Kit(
        "page",
        1,
        tuple(Pad(pad["slug"], tuple(pad["notes"]), pad["class"], choke=pad["choke"] or None) for pad in pads),
    )


def song_of(pattern: Pattern, kit: Kit, bars: int = BARS, part: int = 0) -> MidiSong:
    """Return a pattern as a song of so many bars, swung and humanized; `part` numbers songs that follow each other."""
    notes = {pad.name: pad.notes[0] for pad in kit.pads}
    beat = 60 / pattern.tempo * RATE
    played = sorted(
        (bar * STEPS + step, notes[pad], velocity)
        for bar in range(bars)
        for pad, row in pattern.rows.items()
        if pad in notes
        for step, velocity in enumerate(row)
        if velocity
    )
    events = tuple(NoteOn(round(step / _STEPS_A_BEAT * beat), note, velocity) for step, note, velocity in played)
    beats = tuple(step / _STEPS_A_BEAT for step, _, _ in played)
    end = round(bars * pattern.bar_seconds * RATE)
    song = MidiSong(events, end, RATE, _PPQ, beats=beats, beat_frames=(beat,) * len(events))
    if not events:
        return song
    feel = Feel(pattern.humanize * _TIMING_MS, pattern.humanize * _DYNAMICS, pattern.seed + part)
    return replace(humanize_song(song, kit, feel, placing(song, kit, None, pattern.swing)).song, end_frame=end)


def midi_bytes(song: MidiSong, tempo: float) -> bytes:
    """Return a song as a MIDI file of one track, on channel 10, in bars of four."""
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
    track.append(mido.MetaMessage("time_signature", numerator=4, denominator=4))
    ticks = _PPQ * tempo / 60
    messages = []
    for event in song.events:
        if isinstance(event, NoteOn):
            at = event.frame / song.rate
            note = {"note": event.note, "channel": DRUM_CHANNEL}
            messages.append((round(at * ticks), 1, mido.Message("note_on", velocity=event.velocity, **note)))
            messages.append((round((at + _NOTE_SECONDS) * ticks), 0, mido.Message("note_off", velocity=0, **note)))
    now = 0
    for tick, _, message in sorted(messages, key=lambda each: each[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, round(song.end_frame / song.rate * ticks) - now)))
    file = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=_PPQ, tracks=[track]).save(file=file)
    return file.getvalue()

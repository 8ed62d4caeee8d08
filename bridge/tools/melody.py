"""A tuned drum plays a melody: each note is a new stroke of it, moved to the note's pitch.

The pitch of a drum is that of its strongest partial, measured where it has settled. Of each stroke the partials are
moved and keep their decay; what is noise stays as it is, as the stick and the shell do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.drums import label_of
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.dsp.onset import LEAD_SECONDS, onset_frame
from ghostnote.bridge.dsp.partials import RATE, split
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.variation import Reference, StrokeKey, Variation, Variator
from ghostnote.bridge.kinds import find_class
from ghostnote.bridge.tools.arguments import MOST_CHANNELS, check_variation, checked
from ghostnote.bridge.tools.pitch import drum_pitch, strongest_hz
from ghostnote.bridge.tools.tracks import ringing, tracks_of

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

_CONCERT_HZ: Final = 440.0
_CONCERT_NOTE: Final = 69
_MOST_RATIO: Final = 8.0
_CORRECTIONS: Final = 2
_EXACT_OCTAVES: Final = 0.5 / 1200
_AROUND: Final = 2 ** (2 / 12)
_HIGHEST: Final = float(np.log2(20_000))
"""Lines that would come to lie above 20 kHz are left out."""
SCALES: Final = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
"""Semitones over the root."""
_LETTERS: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


@dataclass(frozen=True)
class Note:
    """A note of a melody."""

    seconds: float
    """When it begins."""
    pitch: float
    """As MIDI counts: 69 is A at 440 Hz, 1 is a semitone."""
    velocity: int = 100
    """1 to 127."""


def note_hz(pitch: float) -> float:
    """Return the frequency of a MIDI note in equal temperament."""
    return float(_CONCERT_HZ * 2 ** ((pitch - _CONCERT_NOTE) / 12))


def tuned(stroke: Audio, ratio: float, target_hz: float | None = None) -> Audio:
    """Return a stroke (channels, frames) at 44.1 kHz at `ratio` times its pitch, as long as it was.

    With `target_hz` the ratio is corrected until the line that is to be there is: of a drum that glides, or of two
    lines that beat, the peak in the spectrum does not move quite as the lines do.
    """
    partials, residual = split(stroke)
    tracks, rest = tracks_of(partials, stroke.shape[1])
    if tracks is None:
        return stroke
    octaves, moved = float(np.log2(ratio)), np.zeros_like(stroke)
    for _ in range(_CORRECTIONS + 1):
        audible = [line for line, middle in enumerate(tracks.middle) if middle + octaves < _HIGHEST]
        lines = [tracks.channel(at, audible).changed(octaves, 0.0) for at in range(len(stroke))]
        moved = np.stack([ringing(each, stroke.shape[1]) for each in lines])
        if target_hz is None:
            break
        mono = moved.mean(axis=0)
        around = target_hz / _AROUND, target_hz * _AROUND
        off = float(np.log2(strongest_hz(mono[onset_frame(mono[None]) :], around) / target_hz))
        if abs(off) < _EXACT_OCTAVES:
            break
        octaves -= off
    return np.asarray(moved + rest + residual, np.float32)


def far_note(notes: Iterable[Note], own_hz: float) -> Note | None:
    """Return the first note that is more than three octaves from a drum's pitch, or None."""
    return next((note for note in notes if not 1 / _MOST_RATIO <= note_hz(note.pitch) / own_hz <= _MOST_RATIO), None)


def play_melody(
    notes: Sequence[Note],
    hit: ArrayLike,
    rate: int,
    drum_class: str,
    *,
    generator: Generator | None = None,
    variation: Variation | None = None,
    pitch_hz: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Audio:
    """Return a melody (channels, frames) at the rate of the hit (1 or 2, frames), which plays all its notes.

    `pitch_hz` is the drum's, measured where it is not given. `progress` is called with the notes done and all. Levels
    add up as they are: the sum may be above full scale. `InputError` for a melody without notes, a hit without pitch,
    or a note that is more than three octaves from it.
    """
    audio, variation = checked(hit, rate, MOST_CHANNELS), variation or Variation()
    check_variation(variation)
    if not notes:
        raise InputError("the melody has no notes: choose another track or channel")
    own_hz = pitch_hz or drum_pitch(audio, rate).hz
    far = far_note(notes, own_hz)
    if far:
        raise InputError(
            f"note {far.pitch:g} is {note_hz(far.pitch):.0f} Hz, more than three octaves from the drum's "
            f"{own_hz:.0f} Hz: move the melody by octaves, or choose another drum"
        )
    ratios = [note_hz(note.pitch) / own_hz for note in notes]
    at_model_rate = resample(audio, rate, RATE)
    # Silence before a hit would delay all notes, and lines do not begin within it.
    at_model_rate = at_model_rate[:, max(0, onset_frame(at_model_rate) - round(LEAD_SECONDS * RATE)) :]
    reference = Reference(at_model_rate, label_of(find_class(drum_class)))
    keys = [StrokeKey(index, note.velocity) for index, note in enumerate(notes)]
    starts = [round(note.seconds * RATE) for note in notes]
    strokes = Variator(generator or Generator.open()).next_strokes(reference, keys, variation)
    mix: Audio | None = None
    for done, (stroke, ratio, start) in enumerate(zip(strokes, ratios, starts, strict=True), 1):
        if mix is None:
            mix = np.zeros((len(stroke), max(starts) + stroke.shape[1]), np.float32)
        mix[:, start : start + stroke.shape[1]] += tuned(stroke, ratio, ratio * own_hz)
        if progress:
            progress(done, len(notes))
    return resample(mix if mix is not None else audio, RATE, rate)


def nearest_octaves(notes: Sequence[Note], own_hz: float) -> int:
    """Return by how many octaves a melody must be moved so that its middle lies nearest to the drum's pitch."""
    middle = float(np.median([note.pitch for note in notes]))
    return -round((middle - _CONCERT_NOTE) / 12 - float(np.log2(own_hz / _CONCERT_HZ)))


def in_scale(pitch: float, scale: tuple[int, tuple[int, ...]]) -> int:
    """Return the note of a scale, its root and its steps, that is nearest to `pitch`; of two the lower one."""
    root, steps = scale
    allowed = [note for note in range(int(pitch) - 12, int(pitch) + 14) if (note - root) % 12 in steps]
    return min(allowed, key=lambda note: (abs(note - pitch), note))


def read_scale(text: str) -> tuple[int, tuple[int, ...]]:
    """Return root and steps of a scale, as in 'C minor' or 'f# pentatonic'; `InputError` for any other word."""
    root, _, name = text.strip().lower().replace("-", " ").partition(" ")
    steps = SCALES.get(name.strip() or "major")
    tone = _LETTERS.get(root[:1])
    sign = {"": 0, "#": 1, "b": -1}.get(root[1:])
    if steps is None or tone is None or sign is None:
        names = ", ".join(SCALES)
        raise InputError(f"{text!r} is not a scale: name its root and its kind, as 'C minor'; kinds are {names}")
    return (tone + sign) % 12, steps

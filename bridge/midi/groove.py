"""Swing, and grooves that are taken from a drummer's MIDI: where notes fall beside the grid, and how hard."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.printable import counted
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.midi.channels import drums_of
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.humanize import Placing, limb_of
from ghostnote.bridge.midi.smf_reader import MidiSong, read_midi

STRAIGHT: Final = 50.0
"""The swing that moves nothing: the off-beat lies in the middle."""
SWING_RANGE: Final = (STRAIGHT, 75.0)
GRIDS: Final = {8: 1.0, 16: 0.5}
"""Beats of the pairs that swing, by the note values of their halves."""

_STEPS: Final = 16
_STEPS_A_BEAT: Final = 4
_LEAST_NOTES: Final = 8
_RATE: Final = 48_000
_LOUDER: Final = (0.25, 4.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Groove:
    """A drummer's way with the sixteenths of a bar in four."""

    late: Mapping[str, Floats]
    """For each limb, and '' for all: by how many beats the notes of each sixteenth are late, (16,)."""
    louder: Mapping[str, Floats]
    """Likewise their velocity, beside the limb's mean."""


def read_groove(path: Path, kit: Kit) -> Groove:
    """Return the groove of the drums in a MIDI file, whose notes `kit` assigns to limbs.

    `MidiFileError` for a file that cannot be read; `InputError` for one with too few notes.
    """
    song, _ = drums_of(read_midi(path, _RATE))
    notes = sum(isinstance(event, NoteOn) for event in song.events)
    if notes < _LEAST_NOTES:
        raise InputError(f"{path}: has {counted(notes, 'note')}; a groove needs {_LEAST_NOTES} or more")
    return groove_of(song, kit)


def groove_of(song: MidiSong, kit: Kit) -> Groove:
    """Return the groove of a song that was read from a file."""
    found: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    velocities: dict[str, list[int]] = defaultdict(list)
    for event, beat in zip(song.events, song.beats, strict=True):
        if isinstance(event, NoteOn):
            step = round(beat * _STEPS_A_BEAT)
            for limb in (limb_of(kit, event.note), ""):
                found[limb, step % _STEPS].append((beat - step / _STEPS_A_BEAT, event.velocity))
                velocities[limb].append(event.velocity)
    late = {limb: np.full(_STEPS, np.nan) for limb in ("", *velocities)}
    louder = {limb: np.full(_STEPS, np.nan) for limb in ("", *velocities)}
    for (limb, step), notes in found.items():
        late[limb][step], velocity = np.mean(notes, axis=0)
        louder[limb][step] = np.clip(velocity / np.mean(velocities[limb]), *_LOUDER)
    late[""], louder[""] = np.nan_to_num(late[""]), np.nan_to_num(louder[""], nan=1.0)
    return Groove(_filled(late), _filled(louder))


def _filled(courses: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return courses in which a sixteenth that a limb never plays is that of all limbs."""
    return {limb: np.where(np.isnan(course), courses[""], course) for limb, course in courses.items()}


def placing(song: MidiSong, kit: Kit, groove: Groove | None, swing: float = STRAIGHT, grid: int = 16) -> Placing:
    """Return where a groove and a swing put the events of a song that was read from a file.

    A swing stretches each pair of eighths or sixteenths (`grid` 8 or 16) so that the second begins at `swing` percent
    of the pair: 50 is straight, 67 a triplet. `InputError` for a swing or grid out of range.
    """
    if not SWING_RANGE[0] <= swing <= SWING_RANGE[1]:
        raise InputError(f"--swing {swing:g}: a swing is from {SWING_RANGE[0]:g}, straight, to {SWING_RANGE[1]:g}")
    if grid not in GRIDS:
        raise InputError(f"--swing-grid {grid}: swing moves eighths, 8, or sixteenths, 16")
    place = np.array(song.beats) / GRIDS[grid] % 1
    late = (np.interp(place, (0, 0.5, 1), (0, swing / 100, 1)) - place) * GRIDS[grid]
    louder = np.ones(len(late))
    if groove:
        # In place of the song's own: a part's groove leaves the part as it is.
        own = groove_of(song, kit)
        for at, (event, beat) in enumerate(zip(song.events, song.beats, strict=True)):
            step = round(beat * _STEPS_A_BEAT) % _STEPS
            limb = limb_of(kit, event.note) if isinstance(event, NoteOn) else ""
            late[at] += groove.late.get(limb, groove.late[""])[step] - own.late.get(limb, own.late[""])[step]
            louder[at] = groove.louder.get(limb, groove.louder[""])[step] / own.louder.get(limb, own.louder[""])[step]
    return Placing(late * np.array(song.beat_frames), louder)

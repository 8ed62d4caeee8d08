"""Which notes drums get: General MIDI's own for their instruments, then shared out by class, then what is free."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ghostnote.bridge.drums import CLASSES, DrumClass

_DRUM_NOTES: Final = frozenset(note for kind in CLASSES for note in kind.notes)
_FREE: Final = (*range(24, 128), *range(24))
"""Where drums go for which General MIDI has no note left."""
_INSTRUMENTS: Final = (
    (r"china|chinese", (52,)),
    (r"splash", (55,)),
    (r"cow ?bell", (56,)),
    (r"bell", (53,)),
    (r"tambourine", (54,)),
    (r"vibra ?slap", (58,)),
    (r"bongo", (60, 61)),
    (r"conga", (63, 64, 62)),
    (r"timbale", (65, 66)),
    (r"agogo", (67, 68)),
    (r"cabasa", (69,)),
    (r"maraca", (70,)),
    (r"whistle", (72, 71)),
    (r"guiro", (73, 74)),
    (r"clave", (75,)),
    (r"wood ?block", (76, 77)),
    (r"cuica", (79, 78)),
    (r"triangle", (81, 80)),
    (r"shaker", (82,)),
)
"""Words in names and General MIDI's notes for that instrument, the usual one first."""
_PARTLY_OPEN: Final = re.compile(r"half|semi|quarter", re.IGNORECASE)
_TOM_HEIGHTS: Final = {"floor": 0, "low": 1, "lo": 1, "lt": 1, "mid": 2, "mt": 2, "high": 3, "hi": 3, "ht": 3}
_MIDDLE_HEIGHT: Final = 2


@dataclass(frozen=True)
class NoteWish:
    """What decides a drum's notes."""

    drum_class: str
    name: str
    pitch_hz: float | None = None


def share_notes(kind: DrumClass, drums: int) -> list[tuple[int, ...]]:
    """Return the General MIDI notes of each of so many drums of a class, or of the first that find one."""
    return _shared(kind, kind.notes, drums)


def _shared(kind: DrumClass, notes: Sequence[int], drums: int) -> list[tuple[int, ...]]:
    drums = min(drums, len(notes))
    # The notes of percussion are different instruments; of any other class they are the same one.
    share = 1 if kind.name == "perc" else len(notes) / max(drums, 1)
    return [tuple(notes[round(at * share) : round((at + 1) * share)]) for at in range(drums)]


def notes_of_drums(classes: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the notes of each drum of these classes: none where all 128 are taken.

    Drums for which General MIDI has no note left take notes that it gives to no drum, and then any.
    """
    given: list[tuple[int, ...]] = [()] * len(classes)
    for kind in CLASSES:
        drums = [at for at, name in enumerate(classes) if name == kind.name]
        for at, notes in zip(drums, share_notes(kind, len(drums)), strict=False):
            given[at] = notes
    return _with_free(given)


def notes_by_name(drums: Sequence[NoteWish]) -> list[tuple[int, ...]]:
    """Return the notes of each drum: its instrument's, its share of its class's, or a free one; else as above.

    Toms go from low to high, by name or by pitch.
    """
    given: list[tuple[int, ...]] = [()] * len(drums)
    taken: set[int] = set()
    for at, drum in enumerate(drums):
        note = next((note for note in _instrument_notes(drum.name) if note not in taken), None)
        if note is not None and note in _notes_of(drum.drum_class):
            given[at] = (note,)
            taken.add(note)
    for kind in CLASSES:
        left = [at for at, drum in enumerate(drums) if drum.drum_class == kind.name and not given[at]]
        left.sort(key=lambda at: bool(_PARTLY_OPEN.search(drums[at].name)))
        if kind.name == "tom":
            # Numbered toms are counted from the highest down.
            left.reverse()
            left.sort(key=lambda at: _height(drums[at]))
        free = [note for note in kind.notes if note not in taken]
        for at, notes in zip(left, _shared(kind, free, len(left)), strict=False):
            given[at] = notes
    return _with_free(given)


def _with_free(given: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    taken = {note for notes in given for note in notes}
    free = iter(sorted((n for n in _FREE if n not in taken), key=lambda note: note in _DRUM_NOTES))
    return [notes or tuple(note for note in (next(free, None),) if note is not None) for notes in given]


def _instrument_notes(name: str) -> tuple[int, ...]:
    spaced = re.sub(r"[\W_]+", " ", name.lower())
    return next((notes for words, notes in _INSTRUMENTS if re.search(words, spaced)), ())


def _notes_of(drum_class: str) -> tuple[int, ...]:
    return next(kind.notes for kind in CLASSES if kind.name == drum_class)


def _height(drum: NoteWish) -> tuple[int, int]:
    """Return how high a tom is: by its name, 0 lowest, and then by its pitch in semitones."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", drum.name).lower())
    height = next((height for word, height in _TOM_HEIGHTS.items() if word in words), _MIDDLE_HEIGHT)
    octaves = math.log2(drum.pitch_hz) if drum.pitch_hz else 0.0
    return height, round(12 * octaves)

"""Which notes drums get: General MIDI's shared out among the drums of a class, then what is free."""

from collections.abc import Sequence
from typing import Final

from ghostnote.bridge.drums import CLASSES, DrumClass

_DRUM_NOTES: Final = frozenset(note for kind in CLASSES for note in kind.notes)
_FREE: Final = (*range(24, 128), *range(24))
"""Where drums go for which General MIDI has no note left."""


def share_notes(kind: DrumClass, drums: int) -> list[tuple[int, ...]]:
    """Return the General MIDI notes of each of so many drums of a class, or of the first that find one."""
    drums = min(drums, len(kind.notes))
    # The notes of percussion are different instruments; of any other class they are the same one.
    share = 1 if kind.name == "perc" else len(kind.notes) / max(drums, 1)
    return [kind.notes[round(at * share) : round((at + 1) * share)] for at in range(drums)]


def notes_of_drums(classes: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the notes of each drum of these classes: none where all 128 are taken.

    Drums for which General MIDI has no note left take notes that it gives to no drum, and then any.
    """
    given: list[tuple[int, ...]] = [()] * len(classes)
    for kind in CLASSES:
        drums = [at for at, name in enumerate(classes) if name == kind.name]
        for at, notes in zip(drums, share_notes(kind, len(drums)), strict=False):
            given[at] = notes
    taken = {note for notes in given for note in notes}
    free = iter(sorted((n for n in _FREE if n not in taken), key=lambda note: note in _DRUM_NOTES))
    return [notes or tuple(note for note in (next(free, None),) if note is not None) for notes in given]

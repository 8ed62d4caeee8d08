"""Which notes the drums of a kit get: General MIDI's first, then what is free."""

from collections.abc import Sequence
from typing import Final

from ghostnote.bridge.drums import CLASSES
from ghostnote.bridge.sampler.instrument import HATS

_DRUM_NOTES: Final = frozenset(note for kind in CLASSES for note in kind.notes)
_FREE: Final = (*range(24, 128), *range(24))
"""Where drums go for which General MIDI has no note left."""


def shared_notes(classes: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the notes of each drum of these classes: none where all 128 are taken.

    The General MIDI notes of a class are shared out among its drums in their order; those beyond take
    notes that are no drum of General MIDI, and then any.
    """
    given: list[tuple[int, ...]] = [()] * len(classes)
    for kind in CLASSES:
        drums = [at for at, name in enumerate(classes) if name == kind.name][: len(kind.notes)]
        # The notes of percussion are different instruments; of any other class they are the same one.
        share = 1 if kind.name == "perc" else len(kind.notes) / max(len(drums), 1)
        for place, at in enumerate(drums):
            given[at] = kind.notes[round(place * share) : round((place + 1) * share)]
    taken = {note for notes in given for note in notes}
    rest = [note for note in _FREE if note not in taken]
    free = iter(sorted(rest, key=lambda note: note in _DRUM_NOTES))
    return [notes or tuple(note for note in (next(free, None),) if note is not None) for notes in given]


def choke_of(drum_class: str) -> str | None:
    """Return the choke group that a class has of itself: hats silence one another."""
    return "hats" if drum_class in HATS else None

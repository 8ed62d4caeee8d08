"""Maps from the notes that drum modules and plugins send to those of General MIDI."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.input_file import read_head
from ghostnote.bridge.io.printable import nearest, shortened, shown
from ghostnote.bridge.kit.kit import Kit

NoteMap = Mapping[int, int]
"""The General MIDI note of each note that means another; every other note means what it does there."""

_MOST_BYTES: Final = 100_000
_NOTES: Final = range(128)
_WRITTEN: Final = {str(note): note for note in _NOTES}


def _inverted(groups: Mapping[int, Sequence[int]]) -> NoteMap:
    return {note: meant for meant, notes in groups.items() for note in notes}


NOTE_MAPS: Final[Mapping[str, NoteMap]] = {
    "gm": {},
    # What GM2 adds below and above: the nearest of General MIDI.
    "gm2": _inverted({39: [28], 54: [83], 73: [29], 74: [30], 75: [31, 85], 76: [27, 32, 33], 81: [34, 84]}
                     | {43: [86], 41: [87]}),
    # Rims play their drum; the edges of the hi-hat are 22 and 26.
    "roland": _inverted({38: [40], 41: [39], 42: [22], 43: [58], 45: [47], 46: [26], 48: [50], 49: [55], 51: [59],
                         57: [52]}),
    "alesis": _inverted({38: [40], 41: [39], 43: [58], 44: [21], 45: [47], 46: [23], 48: [50]}),
    "yamaha": _inverted({36: [33], 38: [31, 34, 40], 44: [83, 85], 51: [52, 59], 49: [55]}),
    "superior": _inverted({
        36: [34], 37: [67, 71, 76, 127], 38: [6, 33, 39, 40, 66, 68, 69, 70, 125, 126], 39: [1], 41: [72, 73],
        42: [11, 22, 61, 62, 63, 65, 119, 122], 43: [74, 75], 44: [10, 21, 23], 45: [77, 78],
        46: [*range(7, 10), *range(12, 21), 24, 25, 26, 60, 64, 120, 121, 123, 124], 47: [79, 80], 48: [81, 82],
        49: [28, 84, 86, 87], 51: [29, 52, 59], 53: [30], 54: [3], 57: [27, 31, 32, 55], 82: [2],
    }),
    "addictive": _inverted({
        37: [42], 38: [37, 39, 40, 41, 43, 44], 42: [49, 50, 51, 52, 53], 43: [65, 66], 44: [48, 59], 45: [67, 68],
        46: [54, 55, 56, 57, 58], 47: [69, 70], 48: [71, 72], 49: [46, 77, 81], 51: [45, 60, 62], 52: [91],
        53: [61, 85], 56: [47], 57: [79, 89, 93], 59: [84, 86], 75: [75],
    }),
}  # fmt: skip
"""By name: General MIDI and GM2; Roland V-Drums, Alesis, Yamaha DTX; EZdrummer and Superior, Addictive Drums."""


def load_map(name: str) -> NoteMap:
    """Return a map of `NOTE_MAPS`, or that of a TOML file with a table `notes`, as in `22 = 42`.

    `KitError` for any other name, or a file that breaks the rules.
    """
    if name.lower() in NOTE_MAPS:
        return NOTE_MAPS[name.lower()]
    path = Path(name)
    if path.suffix.lower() != ".toml":
        raise KitError(f"{shown(name)} is neither a note map nor a .toml file; {nearest(name.lower(), NOTE_MAPS)}")
    data = read_head(path, "a note map", KitError, _MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise KitError(f"{path}: is larger than {_MOST_BYTES // 1000} kB, which no note map is; name a note map")
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise KitError(f"{path}: is not TOML ({error}); mend the line") from error
    notes = table.get("notes")
    if not isinstance(notes, dict) or set(table) != {"notes"}:
        raise KitError(f"{path}: a note map has one table [notes], with lines as in 22 = 42")
    for note, meant in notes.items():
        if not (note in _WRITTEN and type(meant) is int and meant in _NOTES):
            raise KitError(f"{path}: {shortened(note)} = {shown(meant)}, but notes are whole numbers from 0 to 127")
    return {_WRITTEN[note]: meant for note, meant in notes.items()}


def played(kit: Kit, name: str) -> Kit:
    """Return a kit that has the notes of a map, without the pads that no note plays; `KitError` where none is left."""
    pads = tuple(pad for pad in kit.pads if pad.notes)
    if not pads:
        raise KitError(f"{shown(name)}: with this note map no note plays any pad of the kit; mend the map")
    return replace(kit, pads=pads)


def with_map(kit: Kit, note_map: NoteMap) -> Kit:
    """Return the kit whose pads are struck by the notes that mean theirs; a pad may be left without any."""
    meaning = {note: note_map.get(note, note) for note in _NOTES}
    pads = []
    for pad in kit.pads:
        # Its own notes come first: the first names its stem.
        order = (*pad.notes, *(note for note in _NOTES if note not in pad.notes))
        pads.append(replace(pad, notes=tuple(note for note in order if meaning[note] in pad.notes)))
    return replace(kit, pads=tuple(pads))

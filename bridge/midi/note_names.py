"""What the notes of a drum track are usually called: General MIDI's percussion, and GM2's around it."""

from typing import Final

_FIRST: Final = 27
_NAMES: Final = (
    "High Q", "Slap", "Scratch Push", "Scratch Pull", "Sticks", "Square Click", "Metronome Click", "Metronome Bell",
    "Acoustic Bass Drum", "Bass Drum 1", "Side Stick", "Acoustic Snare", "Hand Clap", "Electric Snare",
    "Low Floor Tom", "Closed Hi-Hat", "High Floor Tom", "Pedal Hi-Hat", "Low Tom", "Open Hi-Hat", "Low-Mid Tom",
    "Hi-Mid Tom", "Crash Cymbal 1", "High Tom", "Ride Cymbal 1", "Chinese Cymbal", "Ride Bell", "Tambourine",
    "Splash Cymbal", "Cowbell", "Crash Cymbal 2", "Vibraslap", "Ride Cymbal 2", "Hi Bongo", "Low Bongo",
    "Mute Hi Conga", "Open Hi Conga", "Low Conga", "High Timbale", "Low Timbale", "High Agogo", "Low Agogo", "Cabasa",
    "Maracas", "Short Whistle", "Long Whistle", "Short Guiro", "Long Guiro", "Claves", "Hi Wood Block",
    "Low Wood Block", "Mute Cuica", "Open Cuica", "Mute Triangle", "Open Triangle", "Shaker", "Jingle Bell",
    "Belltree", "Castanets", "Mute Surdo", "Open Surdo",
)  # fmt: skip


def note_name(note: int) -> str:
    """Return the percussion that General MIDI has on a note, or '' where it has none."""
    return _NAMES[note - _FIRST] if _FIRST <= note < _FIRST + len(_NAMES) else ""


def named_note(note: int) -> str:
    """Return a note with what it strikes, as in "note 58 (Vibraslap)"."""
    name = note_name(note)
    return f"note {note} ({name})" if name else f"note {note}"

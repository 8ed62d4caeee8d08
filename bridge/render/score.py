"""The score of a render: everything that the mixer will do, before any stroke is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.kit.unheard import unheard
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.smf_reader import MidiSong
from ghostnote.bridge.render.instants import Instants
from ghostnote.bridge.render.performer import Action, Fade, Performer, Stroke
from ghostnote.bridge.render.workers import Request

END_FADE_SECONDS: Final = 0.02
"""How long the fade at a set end is."""


@dataclass(frozen=True, slots=True)
class EffectsChange:
    """From here on the pads and the mix have the effects of this kit, which has the same pads."""

    frame: int
    kit: Kit


@dataclass(frozen=True)
class Score:
    """Everything a mixer will do, before any stroke is made."""

    rate: int
    actions: Sequence[Action | EffectsChange]
    requests: Sequence[Request]
    """The strokes to be made, in the order of the actions."""
    least_frames: int
    """How long it lasts at least."""
    rings_out: bool
    """Whether it then goes on until the last hit is silent."""
    gains: Sequence[NDArray[np.float32]] | None = None
    """Each stroke's left and right gain, (2, 1); None for the pads' own."""
    unmapped: Mapping[int, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def song_score(song: MidiSong, kit: Kit, tail_seconds: float | None) -> Score:
    """Return the score of a song that ends so long after its last event, or rings out; `InputError` without a note."""
    performer, instants = Performer(kit), Instants(song.rate)
    actions, last = _actions(song, kit, performer, instants, tail_seconds)
    strokes = [action for action in actions if isinstance(action, Stroke)]
    requests = [Request(performer.zones[each.pad][each.zone].pad, each.index, each.velocity) for each in strokes]
    # Without a set end the last hit rings out.
    least = max(song.end_frame, *(each.frame + 1 for each in strokes)) if last is None else last
    played = [kit.pads[pad] for pad in sorted({each.pad for each in strokes})]
    unmapped = dict(sorted(performer.unmapped.items()))
    warnings = (*song.warnings, *_doubled(instants.doubles), *unheard(played))
    return Score(song.rate, actions, requests, least, last is None, None, unmapped, warnings)


def _actions(
    song: MidiSong, kit: Kit, performer: Performer, instants: Instants, tail_seconds: float | None
) -> tuple[list[Action], int | None]:
    """Return the mixer's actions, and the frame of a set end."""
    events = instants.strokes(song.events, performer.pad_of)
    actions = [action for event in events if event for action in performer.handle(event)]
    if not any(isinstance(action, Stroke) for action in actions):
        notes = ", ".join(map(str, sorted({event.note for event in song.events if isinstance(event, NoteOn)})))
        raise InputError(
            f"kit '{kit.name}' plays none of the song's notes ({notes}): add them to the notes of its pads, "
            "or choose a --map"
        )
    if tail_seconds is None:
        return actions, None
    last = song.end_frame + round(tail_seconds * song.rate)
    actions = _faded_out(actions, last, song.rate)
    if not any(isinstance(action, Stroke) for action in actions):
        raise InputError(f"with a tail of {tail_seconds:g} seconds the song ends before its first note: make it longer")
    return actions, last


def _doubled(count: int) -> tuple[str, ...]:
    """Return a sentence on notes that are the stroke of another."""
    notes = "1 note comes" if count == 1 else f"{count} notes come"
    return (f"{notes} with another of the same pad: one stroke, the louder",) if count else ()


def _faded_out(actions: list[Action], last: int, rate: int) -> list[Action]:
    """Return the actions before the frame `last`, with a fade that ends there."""
    fade_at = max(0, last - round(END_FADE_SECONDS * rate))
    pads = tuple({action.pad for action in actions if isinstance(action, Stroke)})
    ending = [action for action in actions if action.frame < fade_at]
    ending.append(Fade(fade_at, pads, (last - fade_at) / rate))
    for action in actions:
        if fade_at <= action.frame < last:
            ending.append(action)
            if isinstance(action, Stroke):
                ending.append(Fade(action.frame, (action.pad,), (last - action.frame) / rate))
    return ending

"""A drummer's timing and dynamics for quantized notes: correlated drift, not jitter.

The deviations of drummers are correlated over minutes, with a spectrum near 1/f, and listeners prefer
them to independent ones (Räsänen et al., PLoS ONE 10(6), 2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.kit.choke import CYMBALS, HATS
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.midi.events import Aftertouch, Event, NoteOn, PedalMove
from ghostnote.bridge.midi.smf_reader import MidiSong

FLAM_SECONDS: Final = 0.012
"""Notes of one limb or choke group that are closer than this keep their distance."""
SHARED_POWER: Final = 0.8
"""The share of the deviations' power that is common to the whole kit; the rest is each limb's own."""

_LIMBS: Final = {
    "kick": "right foot",
    "pedal_hat": "left foot",
    "snare": "left hand",
    "rim": "left hand",
    "clap": "left hand",
    "tom": "left hand",
}
_OTHER_LIMB: Final = "right hand"
_MAX_DEVIATIONS: Final = 3.0
"""Deviations are clipped to this many standard deviations."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Feel:
    """How far a take deviates from the score."""

    timing_ms: float = 0.0
    """Standard deviation of onsets: 2 is a good drummer, 10 a drunk one."""
    dynamics: float = 0.0
    """Standard deviation of velocities, in steps of 127."""
    seed: int = 1
    """Another seed, another take."""


@dataclass(frozen=True)
class Placing:
    """Where the events of a song go before a drummer deviates from that, as a swing or a groove has it."""

    late: NDArray[np.float64]
    """By how many frames each event is late."""
    louder: NDArray[np.float64]
    """What each note's velocity is multiplied by."""
    reach: NDArray[np.float64] | None = None
    """What each event's deviation in time is multiplied by; None for nothing."""

    def then(self, other: "Placing") -> "Placing":
        """Return this and then what another does, with the other's reach."""
        return Placing(self.late + other.late, self.louder * other.louder, other.reach)


@dataclass(frozen=True)
class Humanized:
    """A humanized song."""

    song: MidiSong
    """Its events in the order of their new places."""
    placed: tuple[Event, ...]
    """Each event of the score at its new place, in the score's order."""


@dataclass
class _Gesture:
    """Events that move as one."""

    keys: set[str]
    """The limb that strikes it, and the drums and choke groups whose order it must keep."""
    events: list[int]
    last_frame: int
    moment: int = 0


def humanize_song(song: MidiSong, kit: Kit, feel: Feel, placing: Placing | None = None) -> Humanized:
    """Return a song with the deviations of a drummer, from where `placing` has its events.

    The whole kit drifts together, and each limb a little by itself. Notes of a limb within 12 ms move as
    one, events of one drum, or of drums that choke one another, keep their order, and the mean deviation
    is zero. Velocities outside 1 to 127 are reflected back.
    """
    gestures = _gestures(song, kit)
    of_event = np.empty(len(song.events), np.intp)
    for number, gesture in enumerate(gestures):
        of_event[gesture.events] = number
    struck = np.array([isinstance(event, NoteOn) for event in song.events])
    timing, dynamics = (
        _deviations(gestures, of_event, struck, np.random.default_rng([part, feel.seed])) for part in (1, 2)
    )
    placing = placing or Placing(np.zeros(len(song.events)), np.ones(len(song.events)))
    if placing.reach is not None:
        timing = timing * [placing.reach[gesture.events].mean() for gesture in gestures]
    shifts = np.rint(timing * feel.timing_ms * song.rate / 1000).astype(int)
    shifts = _keep_order(song, gestures, shifts, of_event, struck)
    late = np.rint(placing.late).astype(int) + shifts[of_event]
    placed = []
    for at, (event, own) in enumerate(zip(song.events, of_event.tolist(), strict=True)):
        moved = replace(event, frame=max(0, event.frame + int(late[at])))
        if isinstance(moved, NoteOn):
            velocity = min(moved.velocity * placing.louder[at], 127) + dynamics[own] * feel.dynamics
            moved = replace(moved, velocity=_reflected(velocity))
        placed.append(moved)
    order = sorted(range(len(placed)), key=lambda at: placed[at].frame)
    events = tuple(placed[at] for at in order)
    end = max(song.end_frame, events[-1].frame)
    return Humanized(replace(song, events=events, end_frame=end, beats=(), beat_frames=()), tuple(placed))


def deviations(song: MidiSong, take: Humanized) -> tuple[Floats, Floats]:
    """Return how many milliseconds each note is late, and how many velocity steps louder, in the score's order."""
    pairs = [
        (new.frame - old.frame, new.velocity - old.velocity)
        for old, new in zip(song.events, take.placed, strict=True)
        if isinstance(old, NoteOn) and isinstance(new, NoteOn)
    ]
    late, louder = np.array(pairs, np.float64).reshape(-1, 2).T
    return late * 1000 / song.rate, louder


def drift(count: int, rng: np.random.Generator) -> Floats:
    """Return `(count,)` Gaussian noise with a 1/f spectrum, of zero mean and unit standard deviation."""
    size = 2 * max(count, 32)
    frequency = np.fft.rfftfreq(size)
    frequency[0] = np.inf
    spectrum = (rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency))) / np.sqrt(frequency)
    return _standardized(np.fft.irfft(spectrum, size)[:count])


def _standardized(values: Floats) -> Floats:
    """Return values scaled to zero mean and, unless they are constant, unit standard deviation."""
    centred: Floats = values - values.mean()
    return centred / (centred.std() or 1.0)


def _gestures(song: MidiSong, kit: Kit) -> list[_Gesture]:
    """Return the song's events in groups that move as one, in the order of time."""
    gap = round(FLAM_SECONDS * song.rate)
    gestures: list[_Gesture] = []
    open_gestures: list[_Gesture] = []
    moment, moment_frame = -1, -gap - 1
    keys_of: dict[tuple[type[Event], int | None], frozenset[str]] = {}
    for at, event in enumerate(song.events):
        kind = type(event), getattr(event, "note", None)
        if kind not in keys_of:
            keys_of[kind] = _keys(kit, *kind)
        keys = keys_of[kind]
        open_gestures = [g for g in open_gestures if event.frame - g.last_frame <= gap]
        moment += event.frame - moment_frame > gap
        moment_frame = event.frame
        near = [g for g in open_gestures if g.keys & keys]
        if not near:
            near = [_Gesture(set(keys), [], event.frame, moment)]
            gestures.append(near[0])
            open_gestures.append(near[0])
        first, *others = near
        for other in others:
            first.keys |= other.keys
            first.events += other.events
            open_gestures.remove(other)
            gestures.remove(other)
        first.keys |= keys
        first.events.append(at)
        first.last_frame = event.frame
    return gestures


def _keys(kit: Kit, kind: type[Event], note: int | None) -> frozenset[str]:
    """Return the limb of a kind of event, if it has one, and the choke groups or pads whose order it must keep."""
    if note is None:
        classes = {PedalMove: HATS, Aftertouch: CYMBALS}.get(kind)
        pads = (pad for pad in kit.pads if classes is None or pad.drum_class in classes)
        foot = {"left foot"} if kind is PedalMove else set()
        return frozenset({_choke_key(pad.choke, pad.name) for pad in pads} | foot)
    pad = kit.pad_for_note(note)
    limb = limb_of(kit, note)
    drum = _choke_key(pad.choke, pad.name) if pad else f"note {note}"
    return frozenset({drum, limb} if kind is NoteOn else {drum})


def limb_of(kit: Kit, note: int) -> str:
    """Return the limb that strikes a note's drum."""
    pad = kit.pad_for_note(note)
    return _LIMBS.get(pad.drum_class, _OTHER_LIMB) if pad else _OTHER_LIMB


def _choke_key(choke: str | None, name: str) -> str:
    return f"group {choke}" if choke else f"pad {name}"


def _deviations(
    gestures: Sequence[_Gesture], of_event: NDArray[np.intp], struck: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """Return each gesture's deviation; over the notes the mean is zero and the standard deviation one."""
    moments = [gesture.moment for gesture in gestures]
    total = np.sqrt(SHARED_POWER) * drift(max(moments) + 1, rng)[moments]
    for limb in sorted({*_LIMBS.values(), _OTHER_LIMB}):
        own = [at for at, gesture in enumerate(gestures) if limb in gesture.keys]
        if own:
            total[own] += np.sqrt(1 - SHARED_POWER) * drift(len(own), rng)
    notes = total[of_event[struck]]
    scaled: Floats = (total - notes.mean()) / (notes.std() or 1.0)
    return scaled.clip(-_MAX_DEVIATIONS, _MAX_DEVIATIONS)


def _keep_order(
    song: MidiSong,
    gestures: Sequence[_Gesture],
    shifts: NDArray[np.int_],
    of_event: NDArray[np.intp],
    struck: NDArray[np.bool_],
) -> NDArray[np.int_]:
    """Return shifts in frames that let no gesture overtake one that shares a drum with it."""
    kept = shifts.copy()
    latest: dict[str, int] = {}
    for at, gesture in enumerate(gestures):
        first = min(song.events[e].frame for e in gesture.events)
        before = max((latest.get(key, 0) for key in gesture.keys), default=0)
        kept[at] = max(kept[at], before - first)
        latest |= dict.fromkeys(gesture.keys, gesture.last_frame + int(kept[at]))
    push = round(float(kept[of_event[struck]].mean()))
    moved: NDArray[np.int_] = kept - push
    return moved


def _reflected(velocity: float) -> int:
    """Return a velocity 1..127, reflected at the ends of the range."""
    low, high = 1, 127
    inside = low - (velocity - low) if velocity < low else velocity
    inside = high - (inside - high) if inside > high else inside
    return round(min(max(inside, low), high))

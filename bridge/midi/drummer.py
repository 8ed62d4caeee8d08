"""A drummer's groove by genre, tempo and limb: what studies measured, and where they give no number, our own choice.

Measured:

- Deviations from the beat, and of levels, are correlated over minutes with a spectrum near 1/f, and listeners prefer
  them to independent ones (Hennig et al., PLoS ONE 6(10), 2011). A virtuoso's hi-hat showed that in time and level, and
  patterns that come again every two bars (Räsänen et al., PLoS ONE 10(6), 2015). That its correlations change at one
  time scale is not common to drummers (Gordon et al., arXiv:1904.11752, 2019), so here they do not.
- What is timed varies more, the longer it lasts (Piras and Coull, PLoS ONE 6(3), 2011).
- Jazz varies more from beat to beat than rock and pop (Sogorski et al., PLoS ONE 13(1), 2018).
- On the ride, jazz drummers play the first eighth up to 3.5 times as long as the second at slow tempi and evenly at
  fast ones; from medium tempi on the second takes about 100 ms (Friberg and Sundström, Music Perception 19(3), 2002).
- In jazz trios the hi-hat came 2 to 26 ms ahead; listeners preferred less than 19 ms, and players were most exact on
  beats 2 and 4 (Hofmann et al., Journal of New Music Research 46(4), 2017).
- In a rock pattern drums that are early sound worse than late ones, and the snare's deviations worse than the kick's
  (Frühauf et al., Musicae Scientiae, 2013): no snare or kick is early here, and the kick stays on the beat.
- Most drummers play the snare louder when they lay it back (Danielsen et al., Journal of the Acoustical Society of
  America, 2015). Their hands differ less than other people's (Fujii and Oda, Perceptual and Motor Skills, 2006).

Everything in `STYLES` and the factors below are our own choice within that. A bar has four beats.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.printable import nearest
from ghostnote.bridge.kit.kit import Kit
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.humanize import Feel, Placing, limb_of
from ghostnote.bridge.midi.smf_reader import MidiSong

SHORT_SECONDS: Final = 0.1
"""What a swung second eighth takes."""
MOST_SWING: Final = 3.5
"""How much longer the first is at most."""

_BAR: Final = 4
_PATTERN_STEPS: Final = 32
"""Sixteenths of the two bars after which a drummer's own pattern comes again."""
_PATTERN_STREAM: Final = 5
_NEAR: Final = 0.04
_TRIPLET: Final = 2 / 3
_BACKBEAT_EXACT: Final = 0.7
"""How far deviations on beats 2 and 4 reach beside others."""
_USUAL_SECONDS: Final = 0.25
_REACH: Final = (0.5, 1.5)
"""Deviations grow with the root of the time since the limb's last stroke, from eighths at 120 beats a minute on."""
_GHOST: Final = 0.6
"""A snare stroke softer than this share of the song's loudest is a ghost note."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Style:
    """How a genre's drummers play."""

    timing_ms: float
    """Standard deviation of onsets."""
    dynamics: float
    """Standard deviation of velocities, in steps of 127."""
    late_ms: Mapping[str, float] = field(default_factory=dict)
    """By how much drums of a class come late; on beats 2 and 4 for the snare."""
    weak: float = 1.0
    """What velocities of the second and fourth sixteenth are multiplied by: the weak hand, or the stick's return."""
    offbeat: float = 1.0
    """The same for the third."""
    ghost: float = 1.0
    """The same for ghost notes."""
    backbeat: float = 1.0
    """The same for the snare on beats 2 and 4."""
    pattern_ms: float = 0.0
    """Standard deviation of what comes again every two bars."""
    swings: bool = False


STYLES: Final[Mapping[str, Style]] = {
    "rock": Style(2.5, 4.0, {"snare": 3.0}, weak=0.85, offbeat=0.92, ghost=0.9, backbeat=1.05, pattern_ms=0.8),
    "jazz": Style(4.0, 6.0, {"pedal_hat": -8.0}, weak=0.9, offbeat=0.95, ghost=0.85, pattern_ms=1.2, swings=True),
    "funk": Style(2.5, 5.0, {"snare": 5.0}, weak=0.78, offbeat=0.9, ghost=0.75, backbeat=1.08, pattern_ms=1.2),
    "hiphop": Style(3.0, 4.0, {"snare": 14.0}, weak=0.82, offbeat=0.9, ghost=0.8, backbeat=1.08, pattern_ms=1.5),
}


def find_style(genre: str, *, swings: bool = True) -> Style:
    """Return a style of `STYLES`, without its swing if that is not to be; `InputError` for any other name."""
    style = STYLES.get(re.sub(r"[\W_]+", "", genre.lower()))
    if style is None:
        raise InputError(f"--drummer {genre}: there is no such drummer; {nearest(genre.lower(), STYLES)}")
    return replace(style, swings=swings and style.swings)


def swing_ratio(beat_seconds: float) -> float:
    """Return how much longer than the second a jazz drummer plays the first eighth of a beat."""
    return min(max(beat_seconds / SHORT_SECONDS - 1, 1.0), MOST_SWING)


def drummer_feel(style: Style, amount: float, seed: int) -> Feel:
    """Return how far a drummer deviates by chance."""
    return Feel(style.timing_ms * amount, style.dynamics * amount, seed)


def drummer_placing(song: MidiSong, kit: Kit, style: Style, amount: float, seed: int) -> Placing:
    """Return where a drummer puts the events of a song that was read from a file: at `amount` 0 where they are."""
    beats, frames = np.array(song.beats), np.array(song.beat_frames)
    seconds = frames / song.rate
    step = np.rint(beats * _BAR).astype(int)
    notes = [event if isinstance(event, NoteOn) else None for event in song.events]
    kinds = [_kind(kit, note) for note in notes]
    backbeat = (np.abs(beats % 2 - 1) < _NEAR) & np.array([kind == "snare" for kind in kinds])
    late = np.array([style.late_ms.get(kind, 0.0) for kind in kinds]) / 1000
    late = np.where(np.array([kind == "snare" for kind in kinds]) & ~backbeat, 0.0, late)
    pattern = np.random.default_rng([_PATTERN_STREAM, seed]).standard_normal(_PATTERN_STEPS) * style.pattern_ms / 1000
    late += np.where([limb == "right hand" for limb in _limbs(kit, notes)], pattern[step % _PATTERN_STEPS], 0.0)
    if style.swings:
        late += _swing(beats, seconds) * seconds
    louder = np.select([step % 4 == 2, step % 2 == 1], [style.offbeat, style.weak], 1.0)
    louder = np.where(_ghosts(notes, kinds), style.ghost, np.where(backbeat, style.backbeat, louder))
    reach = _reach(beats * seconds, _limbs(kit, notes)) * np.where(backbeat, _BACKBEAT_EXACT, 1.0)
    return Placing(late * amount * song.rate, louder**amount, reach**amount)


def _kind(kit: Kit, note: NoteOn | None) -> str:
    pad = kit.pad_for_note(note.note) if note else None
    return pad.drum_class if pad else ""


def _limbs(kit: Kit, notes: Sequence[NoteOn | None]) -> list[str]:
    return [limb_of(kit, note.note) if note else "" for note in notes]


def _swing(beats: Floats, seconds: Floats) -> Floats:
    """Return by how many beats events are late; what is written as triplets already moves from there."""
    place = beats % 1
    ratio = np.clip(seconds / SHORT_SECONDS - 1, 1.0, MOST_SWING)
    second = ratio / (1 + ratio)
    before = place / 0.5 * second
    after = second + (place - 0.5) / 0.5 * (1 - second)
    moved: Floats = np.where(np.abs(place - _TRIPLET) < _NEAR, second, np.where(place < 0.5, before, after)) - place
    return moved


def _ghosts(notes: Sequence[NoteOn | None], kinds: Sequence[str]) -> NDArray[np.bool_]:
    """Return which notes are ghost notes."""
    velocities = np.array(
        [note.velocity if note and kind == "snare" else 0 for note, kind in zip(notes, kinds, strict=True)]
    )
    soft: NDArray[np.bool_] = (velocities > 0) & (velocities < _GHOST * velocities.max(initial=0))
    return soft


def _reach(seconds: Floats, limbs: Sequence[str]) -> Floats:
    """Return how far each event's deviation reaches, by the time since its limb's last stroke."""
    reach, last = np.ones(len(limbs)), dict[str, float]()
    for at, limb in enumerate(limbs):
        since = seconds[at] - last.get(limb, seconds[at] - _USUAL_SECONDS)
        reach[at] = np.clip(np.sqrt(max(since, 0.0) / _USUAL_SECONDS), *_REACH)
        last[limb] = seconds[at]
    return reach

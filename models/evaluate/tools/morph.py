"""How `morph` and `transition` do: what lies between two drums is one drum, where a crossfade is two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ghostnote.bridge.classify.features import attacks
from ghostnote.bridge.dsp.band_lines import BODY_FRAMES, body_spectrum
from ghostnote.bridge.dsp.conversion import fitted
from ghostnote.bridge.dsp.parts import parts_of
from ghostnote.bridge.tools.baselines import crossfaded, crossfades
from ghostnote.bridge.tools.morph import morph_steps, transition
from ghostnote.models.dsp.lines import main_partial
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.dsp.metrics import describe
from ghostnote.models.evaluate.distributions import Estimate
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import Audio, ToolRow, ToolSplit, share
from ghostnote.models.plots.before_after import BeforeAfter, draw_before_after

Array = NDArray[np.float64]

STEPS: Final = 7
_MEASURES: Final = ("pitch", "centroid", "decay", "level", "noise")
_RINGING: Final = ("kick", "tom")
"""Classes whose drums are also compared with each other, in pairs of neighbours."""
_REVERSAL: Final = 0.1
"""A step back of at most so much of a measure's spread over the drums is none: noise alone moves it so."""
_APART_OCTAVES: Final = 0.25
_APART_BINS: Final = 8
"""Nearer lines and one half-way between them are one in the spectrum: under a Blackman window each is six wide."""
_NEAR_OCTAVES: Final = 0.06
_PRESENT_DB: Final = -12.0
_MAIN_DB: Final = -3.0
_BINS_HZ: Final = np.maximum(np.arange(BODY_FRAMES // 2 + 1) * (RATE / BODY_FRAMES), 1.0)
_LATE_SECONDS: Final = 0.12
_START, _SECONDS, _OUTSIDE_DB = 0.02, 0.2, 1.0
_BLOCK: Final = 882
_CROSSFADE: Final = "crossfade"
_DRAWN: Final = 5
_TINY: Final = 1e-12


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two drums, what lies between them, and what a crossfade makes of them."""

    steps: list[Audio]
    crossfades: list[Audio]
    moved: Audio
    """The transition from one to the other."""


def judge_morph(split: ToolSplit, tick: Tick) -> list[ToolRow]:
    """Return how steadily measures go from one drum to the other, and whether half-way there is one drum."""
    chosen = split.drums()
    spread = np.nanstd([_measures(split.hit(i)) for i in chosen], axis=0)
    pairs = []
    for done, (a, b) in enumerate(_pairs(chosen, split.seed), 1):
        pairs.append(_between(split.hit(a), split.hit(b)))
        tick(done, len(chosen) // 2)
    _draw(split, pairs)
    rows = []
    steady = [_steady([_course(sounds, spread) for sounds in (p.steps, p.crossfades)]) for p in pairs]
    for place, name in enumerate(_MEASURES):
        made, plain = (_known([own[kind][place] for own in steady]) for kind in (0, 1))
        rows.append(ToolRow("morph", f"{name} goes one way, % of pairs", made, (90.0, 100.0), plain, _CROSSFADE, 0))
    ringing = split.drums(_RINGING)
    more = [_between(split.hit(a), split.hit(b), 3) for a, b in zip(ringing, np.roll(ringing, 1).tolist(), strict=True)]
    partials = [_one_set(p) for p in (*pairs, *more)]
    sets = [_known([None if own is None else own[kind] for own in partials]) for kind in (0, 1)]
    rows.append(
        ToolRow("morph", "half-way one set of partials, % of pairs", sets[0], (90.0, 100.0), sets[1], _CROSSFADE, 0)
    )
    onsets = _one_onset(pairs)
    rows.append(ToolRow("morph", "half-way one onset, % of pairs", onsets[0], (90.0, 100.0), onsets[1], _CROSSFADE, 0))
    return rows


def judge_transition(split: ToolSplit, tick: Tick) -> list[ToolRow]:
    """Return whether a transition begins as one drum, ends as the other, and stays between their levels."""
    begins, ends, inside, plain = [], [], [], []
    pairs = _pairs(split.drums(), split.seed)
    for done, (a, b) in enumerate(pairs, 1):
        pair = _between(split.hit(a), split.hit(b), steps=2)
        first, last = pair.steps
        head = round(_START * RATE)
        begins.append(_likeness(pair.moved[:, :head], first[:, :head]) > 0.95)
        tail = round((_START + _SECONDS + 0.05) * RATE)
        ends.append(_nearer(pair.moved[:, tail:], last[:, tail:], first[:, tail:]))
        inside.append(_between_levels(pair.moved, first, last))
        plain.append(_between_levels(crossfaded(first, last, RATE, _START, _SECONDS), first, last))
        tick(done, len(pairs))
    target = (90.0, 100.0)
    return [
        ToolRow("transition", "begins as the first, % of pairs", share(begins), target, digits=0),
        ToolRow(
            "transition", "ends as the second, % of pairs", share([e for e in ends if e is not None]), target, digits=0
        ),
        ToolRow(
            "transition",
            "level between theirs, to 1 dB, % of pairs",
            share(inside),
            target,
            share(plain),
            _CROSSFADE,
            0,
        ),
    ]


def _known(cases: Sequence[bool | None]) -> Estimate:
    return share([case for case in cases if case is not None])


def _pairs(chosen: Sequence[int], seed: int) -> list[tuple[int, int]]:
    """Return pairs of drums, each drum in one of them."""
    order = np.random.default_rng(seed).permutation(len(chosen)).tolist()
    return [(chosen[a], chosen[b]) for a, b in zip(order[::2], order[1::2], strict=False)]


def _between(a: Audio, b: Audio, steps: int = STEPS) -> _Pair:
    made = morph_steps(a, b, RATE, steps)
    return _Pair(made, crossfades(made[0], made[-1], steps), transition(a, b, RATE, start=_START, seconds=_SECONDS))


def _measures(sound: Audio) -> Array:
    """Return pitch and centroid in octaves, decay in octaves, level and noise in dB; NaN where there is none."""
    hit = torch.from_numpy(fitted(sound, HIT_FRAMES))
    found = describe(hit)
    partials, residual = parts_of(sound, RATE)
    ringing, noise = (float(np.square(part, dtype=np.float64).sum()) + _TINY for part in (partials, residual))
    # Of noise the strongest line is any.
    pitch = main_partial(torch.from_numpy(fitted(partials, HIT_FRAMES))) if ringing > noise else torch.tensor(torch.nan)
    octaves = [float(value.log2()) for value in (pitch, found.centroid_hz, found.t20_seconds)]
    return np.array([*octaves, float(found.level_db), 10 * np.log10(noise / ringing)])


def _course(sounds: list[Audio], spread: Array) -> Array:
    """Return the measures (steps, measures) in their spreads."""
    return np.asarray([_measures(sound) for sound in sounds]) / spread


def _steady(courses: list[Array]) -> list[list[bool | None]]:
    """Return for each course and measure whether it goes one way; None where it is not there at all steps."""
    found: list[list[bool | None]] = []
    for course in courses:
        steps = np.diff(course, axis=0) * np.sign(course[-1] - course[0])
        back = np.maximum.accumulate(np.cumsum(steps, axis=0), axis=0) - np.cumsum(steps, axis=0)
        worst = back.max(axis=0)
        known = [bool(np.isfinite(column).all()) for column in course.T]
        found.append([bool(worst[i] <= _REVERSAL) if ok else None for i, ok in enumerate(known)])
    return found


def _one_set(pair: _Pair) -> tuple[bool, bool] | None:
    """Return whether morph and crossfade have one main partial between the two.

    None where not both ring at one pitch, apart: a drum whose main partial is not the strongest line of its body, but
    rumble or noise is, has no set that could be told from the other's.
    """
    ends = [float(2 ** _measures(x)[0]) for x in (pair.steps[0], pair.steps[-1])]
    least_hz = _APART_BINS * RATE / BODY_FRAMES
    if not np.isfinite(ends).all() or abs(np.log2(ends[0] / ends[1])) < _APART_OCTAVES or np.ptp(ends) < least_hz:
        return None
    if min(_level_at(_body_db(pair.steps[at]), ends[at]) for at in (0, -1)) < _MAIN_DB:
        return None
    half = len(pair.steps) // 2
    return _single(pair.steps[half], ends), _single(pair.crossfades[half], ends)


def _single(sound: Audio, ends: Sequence[float]) -> bool:
    level = _body_db(sound)
    inside = min(ends) * 2**_NEAR_OCTAVES < _BINS_HZ[level.argmax()] < max(ends) / 2**_NEAR_OCTAVES
    return bool(inside and max(_level_at(level, end) for end in ends) < _PRESENT_DB)


def _body_db(sound: Audio) -> Array:
    """Return the spectrum of a hit's body in dB, its strongest line at 0."""
    level = 20 * np.log10(np.abs(body_spectrum(fitted(sound, HIT_FRAMES)[0])) + _TINY)
    return np.asarray(level - level.max())


def _level_at(level: Array, hz: float) -> float:
    """Return the highest level near a frequency."""
    return float(level[np.abs(np.log2(_BINS_HZ / hz)) < _NEAR_OCTAVES / 2].max(initial=-100.0))


def _one_onset(pairs: list[_Pair]) -> list[Estimate]:
    """Return the shares of pairs with one attack half-way where the second file begins 0.12 s later."""
    lead = round(_LATE_SECONDS * RATE)
    found: list[list[bool]] = [[], []]
    for pair in pairs:
        first, second = pair.steps[0], np.pad(pair.steps[-1], ((0, 0), (lead, 0)))
        plain = fitted(first, second.shape[1]) + second
        made = morph_steps(first, second, RATE, 3)[1]
        for kind, sound in enumerate((made, plain)):
            found[kind].append(attacks(sound[0].astype(np.float64)) == 1)
    return [share(own) for own in found]


def _likeness(a: Audio, b: Audio) -> float:
    return float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b) + _TINY))


def _nearer(sound: Audio, wanted: Audio, other: Audio) -> bool | None:
    """Return whether a tail's levels by band lie nearer to one tail's than to another's; None for silence."""
    bands = [_band_db(each) for each in (sound, wanted, other)]
    if not np.square(wanted).any() or not np.square(other).any():
        return None
    return bool(np.abs(bands[0] - bands[1]).mean() < np.abs(bands[0] - bands[2]).mean())


def _band_db(sound: Audio) -> Array:
    power = np.square(np.abs(np.fft.rfft(sound[0], HIT_FRAMES)))
    edges = np.geomspace(4, len(power) - 1, 25).astype(int)
    return np.asarray(10 * np.log10(np.add.reduceat(power, edges[:-1]) + 1e-6))


def _between_levels(sound: Audio, a: Audio, b: Audio) -> bool:
    """Return whether the level of each 20 ms lies between those of two hits, as far as it is audible."""
    levels = []
    for each in (sound, a, b):
        whole = each[0, : each.shape[1] // _BLOCK * _BLOCK].astype(np.float64)
        levels.append(10 * np.log10(np.square(whole).reshape(-1, _BLOCK).mean(axis=1) + 1e-9))
    made, low, high = levels[0], np.minimum(*levels[1:]), np.maximum(*levels[1:])
    audible = high > high.max() - 50
    return bool(((made > low - _OUTSIDE_DB) & (made < high + _OUTSIDE_DB))[audible].all())


def _draw(split: ToolSplit, pairs: list[_Pair]) -> None:
    rows = []
    for pair in pairs[:: max(1, len(pairs) // _DRAWN)][:_DRAWN]:
        half = len(pair.steps) // 2
        five = ("A", pair.steps[0]), ("half-way", pair.steps[half]), ("B", pair.steps[-1])
        others = ("crossfade", pair.crossfades[half]), ("transition", pair.moved)
        rows.append(BeforeAfter("", [(label, sound, RATE) for label, sound in (*five, *others)]))
    draw_before_after(split.folder / "morph.png", rows)

"""Drum loops put together from single hits, with what is struck when: what a network learns to hear loops from."""

import itertools
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.drums import label_of
from ghostnote.bridge.dsp.continuation import LEAST_SECONDS, continued_parts, natural_end
from ghostnote.models.data.corpus import Split
from ghostnote.models.data.loop_mixing import RUNG_SECONDS, Loop, LoopDrum, colored, equalized, mixed, random_equalizer
from ghostnote.models.data.patterns import Pattern, backbeat, bass_drum, fill, scattered, time_keeper, varied
from ghostnote.models.dsp.mdct import RATE

Audio = NDArray[np.float32]

_STEPS: Final = (16, 16, 16, 12)
_MOST_BARS: Final = 3
_BEATS_A_MINUTE: Final = (75.0, 170.0)
_LEVEL_DB: Final = {
    **{"closed_hat": -9.0, "pedal_hat": -11.0, "open_hat": -8.0, "ride": -10.0, "crash": -4.0},
    **{"perc": -5.0, "rim": -5.0, "clap": -3.0, "tom": -2.0},
}
"""Of peaks in a mix; 0 for other classes."""
_LEVEL_DEVIATION_DB: Final = 3.0
_PITCH_OCTAVES: Final = 0.12
_TILT: Final = 0.2
_DAMPED: Final = 0.25
_DAMPING_DB_PER_SECOND: Final = (20.0, 200.0)
_LAYERED: Final = 0.2
_UNDER_DB: Final = (-15.0, -3.0)
"""One drum under another makes a third."""
_RINGING: Final = ("ride", "crash", "open_hat")
"""These ring on where the corpus cuts them."""
_ROUND_ROBINS: Final = 3
_HITS: Final = 6
"""Of each drum."""
_CUT_SECONDS: Final = 0.6
_SOFTEST: Final = 0.1
_APART_FRAMES: Final = 1323


class LoopMaker:
    """Makes random loops of the hits of a split."""

    def __init__(self, split: Split, made: Mapping[str, Sequence[Audio]] = MappingProxyType({})) -> None:
        """Take some hits of each drum; what rings on after the end of recorded cymbals is made once.

        `made` are more drums of each class, of one stroke each.
        """
        audio, files = split
        self._groups: dict[str, dict[str, list[Audio]]] = {}
        for hit, file in zip(audio, files, strict=True):
            drum = self._groups.setdefault(file.drum_class, {}).setdefault(file.group, [])
            if len(drum) < _HITS:
                drum.append(_rung_on(hit) if file.drum_class in _RINGING else hit)
        for name, drums in made.items():
            self._groups.setdefault(name, {}).update({f"made {number}": [hit] for number, hit in enumerate(drums)})

    def make(self, rng: np.random.Generator) -> Loop:
        """Return a random loop of one to three bars."""
        steps, bars = int(rng.choice(_STEPS)), int(rng.integers(1, _MOST_BARS + 1))
        events = _events(self._parts(rng, steps), bars, rng)
        if not events:
            return self.make(rng)
        step_seconds = 4 * 60 / rng.uniform(*_BEATS_A_MINUTE) / steps
        loop = mixed(events, _times(sorted(events), step_seconds, rng), rng)
        return Loop(colored(loop.mono, rng), loop.onsets, loop.struck)

    def _drum(self, name: str, rng: np.random.Generator, semitones_down: float = 0.0) -> LoopDrum:
        """Return a drum of a class at another pitch, brighter or darker, some damped: the corpus has few drums."""
        level_db = _LEVEL_DB.get(name, 0.0) + _LEVEL_DEVIATION_DB * rng.standard_normal()
        strokes = self._strokes(name, rng, semitones_down)
        if rng.random() < _LAYERED:
            under = np.float32(10 ** (rng.uniform(*_UNDER_DB) / 20)) * self._strokes(name, rng, semitones_down)[0]
            strokes = [_layered(stroke, under) for stroke in strokes]
        return LoopDrum(label_of(name), strokes, level_db)

    def _strokes(self, name: str, rng: np.random.Generator, semitones_down: float) -> list[Audio]:
        """Return some strokes of a random drum of a class, all moved alike."""
        groups = self._groups[name]
        hits = groups[list(groups)[rng.integers(len(groups))]]
        octaves = _PITCH_OCTAVES * rng.standard_normal() - semitones_down / 12
        tilt = _TILT * rng.standard_normal()
        damping = rng.uniform(*_DAMPING_DB_PER_SECOND) if rng.random() < _DAMPED else 0.0
        equalizer = random_equalizer(rng)
        chosen = rng.permutation(len(hits))[:_ROUND_ROBINS]
        return [_moved(equalized(hits[at], equalizer), octaves, tilt, damping) for at in chosen]

    def _parts(self, rng: np.random.Generator, steps: int) -> list[tuple[LoopDrum, Pattern]]:
        """Return the drums of a loop with what each plays in a bar."""
        style = rng.choice(["groove", "toms", "percussion", "anything", "few"], p=[0.5, 0.2, 0.12, 0.12, 0.06])
        parts: list[tuple[str, Pattern]] = []
        if style != "few":
            parts.append(("kick", bass_drum(rng, steps)))
        back = str(rng.choice(["snare", "clap", "rim"], p=[0.68, 0.17, 0.15]))
        if style == "groove":
            parts.append((back, backbeat(rng, steps) if rng.random() < 0.85 else scattered(rng, steps, 0.65)))
        elif rng.random() < 0.6:
            parts.append((back, scattered(rng, steps, 0.2)))
        if style == "anything":
            names = rng.choice(list(self._groups), int(rng.integers(2, 5)))
            parts += [(str(name), scattered(rng, steps, rng.uniform(0.1, 0.4))) for name in names]
        else:
            parts += _hands(rng, steps)
        if style == "percussion" or rng.random() < 0.08:
            parts += [("perc", _either(rng, steps)) for _ in range(int(rng.integers(1, 3)))]
        drums = [(self._drum(name, rng), pattern) for name, pattern in parts if name in self._groups]
        if "tom" in self._groups and (style == "toms" or rng.random() < 0.08):
            drums += self._toms(rng, steps)
        return drums

    def _toms(self, rng: np.random.Generator, steps: int) -> list[tuple[LoopDrum, Pattern]]:
        """Return one to three toms, each lower than the one before, one after the other or mixed."""
        count, one_by_one, first = int(rng.integers(1, 4)), rng.random() < 0.5, int(rng.integers(steps))
        toms = []
        for number in range(count):
            start = (first + number * steps // count) % steps
            pattern = fill(rng, steps, start, start + steps // count) if one_by_one else scattered(rng, steps, 0.2)
            toms.append((self._drum("tom", rng, 4 * number * rng.uniform(0.5, 1.3)), pattern))
        return toms


def _hands(rng: np.random.Generator, steps: int) -> list[tuple[str, Pattern]]:
    """Return what keeps time, and what the same hand or the foot strikes beside it."""
    names = ["closed_hat", "ride", "open_hat", "perc", "pedal_hat", ""]
    name = str(rng.choice(names, p=[0.5, 0.22, 0.06, 0.07, 0.03, 0.12]))
    if not name:
        return []
    pattern = time_keeper(rng, steps)
    parts = [(name, pattern)]
    if name == "closed_hat" and rng.random() < 0.45:
        opened = np.isin(np.arange(steps), rng.choice(steps, int(rng.integers(1, 4)), replace=False))
        parts = [(name, np.where(opened, 0.0, pattern)), ("open_hat", np.where(opened, rng.uniform(0.7, 1.0), 0.0))]
    if name == "open_hat" and rng.random() < 0.5:
        parts.append(("closed_hat", np.where(pattern > 0, 0.0, time_keeper(rng, steps))))
    if name == "ride" and rng.random() < 0.6:
        parts.append(("pedal_hat" if rng.random() < 0.8 else "closed_hat", backbeat(rng, steps)))
    if rng.random() < 0.4:
        parts.append(("crash", np.where(np.arange(steps) == 0, rng.uniform(0.8, 1.0), 0.0)))
    return parts


def _either(rng: np.random.Generator, steps: int) -> Pattern:
    return time_keeper(rng, steps) if rng.random() < 0.5 else scattered(rng, steps, 0.25)


def _events(
    parts: Sequence[tuple[LoopDrum, Pattern]], bars: int, rng: np.random.Generator
) -> dict[int, list[tuple[LoopDrum, float]]]:
    """Return what is struck at each step of all bars, and how hard; most crashes come in the first bar alone."""
    events: dict[int, list[tuple[LoopDrum, float]]] = {}
    once = rng.random() < 0.6
    for bar, (drum, pattern) in itertools.product(range(bars), parts):
        if bar and once and drum.label == label_of("crash"):
            continue
        played = varied(rng, pattern) if bar and rng.random() < 0.3 else pattern
        for step in np.flatnonzero(played):
            velocity = float(np.clip(played[step] * rng.uniform(0.9, 1.05), _SOFTEST, 1))
            events.setdefault(bar * len(pattern) + int(step), []).append((drum, velocity))
    return events


def _times(places: Sequence[int], step_seconds: float, rng: np.random.Generator) -> list[int]:
    """Return the frame of each step that is struck: some loops swing, and most are not quite even."""
    swing = rng.uniform(0, 0.3) if rng.random() < 0.2 else 0.0
    uneven = rng.choice([0.0, 0.003, 0.008])
    seconds = [0.05 + step_seconds * (place + swing * (place % 2)) + uneven * rng.standard_normal() for place in places]
    onsets = [max(0, round(seconds[0] * RATE))]
    for second in seconds[1:]:
        onsets.append(max(round(second * RATE), onsets[-1] + _APART_FRAMES))
    return onsets


def _moved(hit: Audio, octaves: float, tilt: float, damping_db: float) -> Audio:
    """Return a hit of peak 1 at another pitch, brighter or darker, damped by so many dB a second."""
    ratio = 2**octaves
    moved = np.interp(np.arange(int(len(hit) / ratio)) * ratio, np.arange(len(hit)), hit, right=0.0)
    tilted = moved - tilt * np.append(0, moved[:-1])
    damped = tilted * 10 ** (-damping_db / 20 / RATE * np.arange(len(tilted)))
    return np.asarray(damped / max(float(np.abs(damped).max()), 1e-6), np.float32)


def _layered(stroke: Audio, under: Audio) -> Audio:
    """Return two hits (frames,) at once, of peak 1."""
    both = np.zeros(max(len(stroke), len(under)), np.float32)
    both[: len(stroke)] = stroke
    both[: len(under)] += under
    return np.asarray(both / max(float(np.abs(both).max()), 1e-6), np.float32)


def _rung_on(hit: Audio) -> Audio:
    """Return a cymbal (frames,) that rings on where the recording was cut; others stay."""
    end = natural_end(hit[None])
    if end < max(_CUT_SECONDS, LEAST_SECONDS) * RATE:
        return hit
    ringing, noise = continued_parts(hit[None, :end], round(RUNG_SECONDS * RATE), 1)
    return np.asarray((ringing + noise)[0])

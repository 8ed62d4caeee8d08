"""How `tweak` does: each slider moves its own descriptor, the others stay, and so does the drum."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import fitted
from ghostnote.bridge.dsp.descriptors import DESCRIPTORS, UNITS, measure
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.parts import parts_of
from ghostnote.bridge.dsp.sliders import Sliders
from ghostnote.bridge.dsp.tweak_filters import Parts, filtered_parts
from ghostnote.bridge.tools.tweak import describe, tweak
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.evaluate.distributions import Estimate, bootstrap
from ghostnote.models.evaluate.diversity import retrieval_accuracy
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import Audio, ToolRow, ToolSplit, share
from ghostnote.models.plots.before_after import BeforeAfter, draw_before_after

Array = NDArray[np.float64]

POSITIONS: Final = (-2.0, -1.0, 0.0, 1.0, 2.0)
_DRUMS: Final = 3
"""Drums of each class, more or less: each has 36 positions."""
_OPEN_LOOP: Final = "the same filters, not balanced"
_LEAST: Final = 1e-9


@dataclass(frozen=True, eq=False)
class _Moves:
    """What the sliders of one drum do."""

    values: Array
    """(sliders, positions, descriptors)."""
    open_loop: Array
    """(sliders, 2, descriptors) at the ends, without taking off what a filter does to other descriptors."""
    ends: tuple[Audio, ...]
    """What the ends of each slider sound like, (1, frames), in the order of the sliders."""


def judge_tweak(split: ToolSplit, tick: Tick) -> list[ToolRow]:
    """Return how far sliders and descriptors go together, what else moves, and whether the drum is still found."""
    chosen = split.drums()[:: max(1, split.per_class // _DRUMS)]
    spread = np.std([list(describe(split.hit(i), RATE).values()) for i in split.drums()], axis=0)
    moves = []
    for done, index in enumerate(chosen, 1):
        moves.append(_moves(split.hit(index), split.seed))
        tick(done, len(chosen))
    found = _retrieved(split, chosen, moves)
    _draw(split, chosen)
    rows = []
    for slider, name in enumerate(DESCRIPTORS):
        spearman = [_spearman(each.values[slider, :, slider]) for each in moves]
        others, plain = (_others(moves, slider, spread, open_loop=kind) for kind in (False, True))
        drums = found[:, 2 * slider : 2 * slider + 2].ravel().tolist()
        rows += [
            ToolRow("tweak", f"Spearman, {name}", bootstrap(spearman, "mean"), (0.95, 1.0)),
            ToolRow("tweak", f"largest move of another beside {name}'s", others, (0.0, 0.25), plain, _OPEN_LOOP),
            ToolRow("tweak", f"own drum at both ends of {name}, %", share(drums), (90.0, 100.0), digits=0),
        ]
    return rows


def _moves(hit: Audio, seed: int) -> _Moves:
    onset = onset_frame(hit)
    parts = Parts(*parts_of(hit, RATE), RATE, onset)
    before = measure(parts.partials, parts.residual, RATE, onset)
    values, ends = [], []
    plain: list[list[Array]] = []
    for slider, name in enumerate(DESCRIPTORS):
        sounds = {at: tweak(hit, RATE, Sliders(**{name: at}), seed=seed) for at in POSITIONS if at}
        own = {at: np.array(list(describe(sound, RATE).values())) for at, sound in sounds.items()}
        values.append([own.get(at, before.values) for at in POSITIONS])
        ends += [sounds[POSITIONS[0]], sounds[POSITIONS[-1]]]
        plain.append([])
        for at in (POSITIONS[0], POSITIONS[-1]):
            made = filtered_parts(parts, at * UNITS * (np.arange(len(UNITS)) == slider), before)
            plain[-1].append(measure(made.partials, made.residual, RATE, onset).values)
    return _Moves(np.array(values), np.array(plain), tuple(ends))


def _spearman(values: Array) -> float:
    """Return the rank correlation of values with their places."""
    ranks = np.argsort(np.argsort(values)).astype(float)
    return float(np.corrcoef(ranks, np.arange(len(values)))[0, 1])


def _others(moves: list[_Moves], slider: int, spread: Array, *, open_loop: bool) -> Estimate:
    """Return by how much that other descriptor moves which a slider moves most, beside its own, in their spreads."""
    ends = [(each.open_loop if open_loop else each.values)[slider][[0, -1]] for each in moves]
    moved = np.abs(np.array([last - first for first, last in ends])) / spread
    beside = moved / np.maximum(moved[:, [slider]], _LEAST)
    estimates = [bootstrap(beside[:, other]) for other in range(len(spread)) if other != slider]
    return max(estimates, key=lambda estimate: estimate.value)


def _retrieved(split: ToolSplit, chosen: list[int], moves: list[_Moves]) -> NDArray[np.bool_]:
    """Return whether the nearest hit of the split is of the own drum, for both ends of each slider, (drums, ends)."""
    ends = [fitted(sound, HIT_FRAMES) for each in moves for sound in each.ends]
    hits, groups = split.hits.audio, [file.group for file in split.hits.files]
    # The hit itself stays among those that are searched, as many drums have no other: silence stands for it.
    gallery = torch.cat([hits, torch.zeros_like(hits[:1])])
    own = [groups[index] for index in chosen for _ in moves[0].ends]
    queries = torch.from_numpy(np.concatenate(ends))
    found = retrieval_accuracy(queries, [len(hits)] * len(queries), own, gallery, [*groups, ""])
    return found.reshape(len(chosen), -1) > 0


def _draw(split: ToolSplit, chosen: list[int]) -> None:
    rows = []
    for name, index in zip(DESCRIPTORS, chosen * len(DESCRIPTORS), strict=False):
        hit = split.hit(index)
        sounds = [(f"{name} {at:+g}", tweak(hit, RATE, Sliders(**{name: at})), RATE) for at in (-2, 2)]
        title = split.hits.files[index].drum_class.replace("_", " ")
        rows.append(BeforeAfter(title, (sounds[0], ("before", hit, RATE), sounds[1])))
    draw_before_after(split.folder / "tweak.png", rows)

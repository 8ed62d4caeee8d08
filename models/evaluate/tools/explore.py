"""Explored drums: as diverse as real ones, no copies of training drums, and nearer the hit that they shall be near."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ghostnote.bridge.drums import label_of
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.inference.stroke_source import generate_drum
from ghostnote.bridge.tools.explore import ExploreSettings, explore
from ghostnote.bridge.tools.hit_parts import description_of, fit
from ghostnote.bridge.tools.spread import TrainingDrums
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.dsp.metrics import distances_to, log_mel
from ghostnote.models.evaluate.distributions import Estimate, bootstrap
from ghostnote.models.evaluate.player import Tick
from ghostnote.models.evaluate.tools.rows import Audio, ToolRow, ToolSplit, share
from ghostnote.models.plots.before_after import BeforeAfter, draw_before_after
from ghostnote.models.plots.sheet import draw_sheet

CLASSES: Final = ("kick", "snare", "tom", "perc")
NEARS: Final = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
_FEWEST: Final = 6
"""Drums of a class in the split for which its diversity is compared."""
_MOST: Final = 24
_SOURCES: Final = 4
"""Drums of each class that others are made near."""
_LOW_PERCENT: Final = 5.0
_INFINITE: Final = float("inf")

Array = NDArray[np.float64]


def vendi_score(similarity: Array) -> float:
    """Return how many things are different, by a matrix (n, n) of similarities with ones on its diagonal.

    It is the exponential of the entropy of the eigenvalues of the matrix over n (Friedman & Dieng 2023).
    """
    values = np.linalg.eigvalsh(similarity / len(similarity)).clip(1e-12)
    return float(np.exp(-(values * np.log(values)).sum()))


def judge_explore(split: ToolSplit, tick: Tick) -> list[ToolRow]:
    """Return the diversity of explored drums beside the split's, how far training drums are, and what `near` does."""
    all_drums = _all_drums(split)
    gallery = torch.cat([log_mel(part) for part in torch.split(split.hits.audio, 64)])
    done, steps = 0, 2 * len(CLASSES)
    ratios, plain, apart_made, apart_real = [], [], [], []
    retrieved: list[list[bool]] = []
    for name in CLASSES:
        real = all_drums.get(name, [])
        if len(real) >= _FEWEST:
            made, consecutive = _drums(split, name, len(real))
            own = [split.hit(i) for i in real]
            spread, unspread = _ratios(own, made, consecutive)
            ratios.append(spread)
            plain.append(unspread)
            made_db, real_db = (_to_training(split, name, hits) for hits in (made, own))
            apart_made += made_db
            apart_real += real_db
            _draw_sheet(split, name, made)
        tick(done := done + 1, steps)
        retrieved += [_retrieved(split, i, gallery) for i in split.drums([name])[:_SOURCES]]
        tick(done := done + 1, steps)
    _draw_near(split)
    return _rows((ratios, plain), (apart_made, apart_real), np.array(retrieved))


def _rows(
    vendi: tuple[list[float], list[float]], apart: tuple[list[float], list[float]], retrieved: Array
) -> list[ToolRow]:
    shares = retrieved.mean(axis=0) if len(retrieved) else np.zeros(len(NEARS))
    low = [float(np.percentile(found, _LOW_PERCENT)) if found else float("nan") for found in apart]
    return [
        ToolRow("explore", "Vendi score over the split's", bootstrap(vendi[0], "mean"), (0.9, 1.1),
                bootstrap(vendi[1], "mean"), "consecutive seeds"),
        ToolRow("explore", "dB to the nearest training drum, median", bootstrap(apart[0]), None,
                bootstrap(apart[1]), "the split's own"),
        ToolRow("explore", "the same of the nearest 5 %, beside the split's", _constant(low[0] / low[1], len(apart[0])),
                (1, _INFINITE)),
        ToolRow("explore", "rank correlation of near and own drum found", _constant(_rank(shares), len(retrieved)),
                (0.9, 1)),
        *(
            ToolRow("explore", f"own drum found at near {near:g}, %", share(retrieved[:, k].tolist()), digits=0)
            for k, near in enumerate(NEARS)
        ),
    ]  # fmt: skip


def _constant(value: float, groups: int) -> Estimate:
    return Estimate(value, value, value, groups)


def _rank(shares: Array) -> float:
    """Return Spearman's rank correlation of the shares and NEARS, ties at their mean rank."""
    ranks = np.array([(shares < value).sum() + ((shares == value).sum() - 1) / 2 for value in shares])
    return float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]) if np.ptp(ranks) else 0.0


def _all_drums(split: ToolSplit) -> dict[str, list[int]]:
    """Return one hit of each of up to `_MOST` drums of each class."""
    most = _MOST if split.per_class >= _MOST // 2 else _FEWEST
    found: dict[str, list[int]] = {}
    for i in replace(split, per_class=most).drums(CLASSES):
        found.setdefault(split.hits.files[i].drum_class, []).append(i)
    return found


def _drums(split: ToolSplit, name: str, count: int) -> tuple[list[Audio], list[Audio]]:
    """Return explored drums, and those of consecutive seeds."""
    settings = ExploreSettings(name, count=count, seed=1000 * split.seed)
    made = [drum.audio for drum in explore(settings, generator=split.generator)]
    seeds = range(settings.seed, settings.seed + count)
    return made, [generate_drum(split.generator, name, seed)[None] for seed in seeds]


def _ratios(real: Sequence[Audio], *others: Sequence[Audio]) -> list[float]:
    """Return the Vendi scores of sets of hits over that of real ones.

    Hits are as similar as a Gaussian of their log-mel distance says, whose width is the median distance of real ones.
    """
    apart = [distances_to(power, power).double().numpy() for power in map(_mel, (real, *others))]
    width = float(np.median(apart[0][np.triu_indices(len(apart[0]), 1)]))
    scores = [vendi_score(_positive(np.exp(-np.square((found + found.T) / 2 / width) / 2))) for found in apart]
    return [score / scores[0] for score in scores[1:]]


def _positive(similarity: Array) -> Array:
    np.fill_diagonal(similarity, 1.0)
    return similarity


def _mel(hits: Sequence[Audio]) -> Tensor:
    return log_mel(torch.from_numpy(np.concatenate([fit(hit[:1], HIT_FRAMES) for hit in hits])))


def _to_training(split: ToolSplit, name: str, hits: Sequence[Audio]) -> list[float]:
    training = TrainingDrums(split.generator.card.drums, label_of(name))
    return [training.distance(*description_of(hit, HIT_FRAMES)) for hit in hits]


def _retrieved(split: ToolSplit, i: int, gallery: Tensor) -> list[bool]:
    """Return at each of NEARS whether the nearest hit of the split is of the drum that another was made near."""
    hit, files = split.hit(i), split.hits.files
    made = []
    for near in NEARS:
        settings = ExploreSettings(files[i].drum_class, count=1, seed=split.seed + 7 * i, near=near)
        made += [drum.audio for drum in explore(settings, hit, generator=split.generator)]
    nearest = distances_to(_mel(made), gallery).argmin(1).tolist()
    return [files[k].group == files[i].group for k in nearest]


def _draw_sheet(split: ToolSplit, name: str, made: Sequence[Audio]) -> None:
    draw_sheet(split.folder / f"explore-{name}.png", [(f"{name} {k}", hit) for k, hit in enumerate(made, 1)], RATE)


def _draw_near(split: ToolSplit) -> None:
    rows = []
    for name in CLASSES:
        for i in split.drums([name])[:1]:
            hit = split.hit(i)
            sounds = [("hit", hit, RATE)]
            for near in (0.9, 0.7, 0.4, 0.0):
                settings = ExploreSettings(name, count=1, seed=split.seed, near=near)
                sounds += [
                    (f"near {near:g}", drum.audio, RATE) for drum in explore(settings, hit, generator=split.generator)
                ]
            rows.append(BeforeAfter(name, sounds))
    if rows:
        draw_before_after(split.folder / "explore-near.png", rows)

"""Variations held against a drummer's own strokes: spread, bias, the judges, identity and calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.evaluate.baselines import dsp_jitter
from ghostnote.models.evaluate.c2st import FAMILIES, judge, pair_features, pair_weights
from ghostnote.models.evaluate.distributions import calibrate_amounts
from ghostnote.models.evaluate.player import SDEDIT_STARTS, Player, Tick
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.spread import (
    beside_real,
    biases,
    by_group,
    measure_pairs,
    over_groups,
    own_drum,
    spreads,
)

REAL, MODEL = "real", "model"
KINDS: Final = {
    REAL: "the drummer's own other strokes",
    MODEL: "ghostnote",
    "factors": "the factors alone, without the network",
    "jitter": "pitch, level and shelf moved by hand",
    "edit": "SDEdit without a reference, at its best start",
}
"""Everything that is held against the reference, and how it is called in a report."""
_CHUNK: Final = 64


def make_strokes(
    player: Player, trials: TrialSet, settings: EvaluationSettings, tick: Tick
) -> tuple[dict[str, Tensor], float]:
    """Return the strokes of every kind (rows, HIT_FRAMES), and the start at which the edits are at their best."""
    references, labels = trials.references, trials.labels
    start = _best_start(player, trials, settings)
    jitter = dsp_jitter(references, torch.Generator().manual_seed(settings.seed))
    strokes = {
        REAL: trials.real,
        MODEL: player.variations(trials, steps=settings.steps, tick=tick),
        "factors": player.variations(trials, steps=0),
        "jitter": jitter,
        "edit": player.edits(references, labels, start),
    }
    return strokes, start


def spread_and_bias(strokes: Mapping[str, Tensor], trials: TrialSet) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the spread and the bias of every kind: by measure, then by class."""
    groups, class_of = trials.row_groups, trials.class_of
    measures = {kind: measure_pairs(trials.references, made) for kind, made in strokes.items()}
    spread = {kind: spreads(measured, groups) for kind, measured in measures.items()}
    result: dict[str, Any] = {
        kind: {
            "values": {name: _plain(over_groups(v, class_of)) for name, v in spread[kind].items()},
            "beside_real": {
                name: _plain(over_groups(v, class_of))
                for name, v in beside_real(spread[kind], spread[REAL]).items()
            },
        }
        for kind in strokes
    }
    bias = {
        kind: {name: _plain(over_groups(v, class_of)) for name, v in biases(measured, groups).items()}
        for kind, measured in measures.items()
    }
    return result, bias


def judged(strokes: Mapping[str, Tensor], trials: TrialSet, seed: int, tick: Tick) -> dict[str, Any]:
    """Return how often each kind is told from real strokes, and ghostnote by each family of features alone."""
    features = {kind: _features(trials.references, made) for kind, made in strokes.items()}
    groups = trials.row_groups * 2
    is_made = torch.arange(len(groups)) >= len(trials.rows)
    asked = [(kind, "all", slice(None)) for kind in strokes if kind != REAL]
    asked += [(MODEL, family, columns) for family, columns in FAMILIES.items()]
    result: dict[str, Any] = {}
    for done, (kind, family, columns) in enumerate(asked, 1):
        both = torch.cat([features[REAL], features[kind]])[:, columns]
        verdict = judge(both, is_made, groups, seed)
        right = by_group(verdict.right, groups, np.mean)
        result.setdefault(kind, {})[family] = {
            "judge": verdict.judge,
            "pairs": len(groups),
            "accuracy": _plain(over_groups(right, trials.class_of, "mean")),
            "weighted": float((verdict.right * pair_weights(is_made, groups).numpy()).sum()),
        }
        tick(done, len(asked))
    return result


def identity(strokes: Mapping[str, Tensor], trials: TrialSet, settings: EvaluationSettings) -> dict[str, Any]:
    """Return how often a stroke of each kind is nearest to its own drum among all hits of the split."""
    first = [i for i, (_, k) in enumerate(trials.rows) if k == 0]
    rows = [trials.rows[i] for i in first]
    groups = [trials.row_groups[i] for i in first]
    hits = trials.hits
    hit_groups = [file.group for file in hits.files]
    result = {}
    for kind in (REAL, MODEL, "factors"):
        origins = [
            trials.trials[t].others[k] if kind == REAL else trials.trials[t].reference for t, k in rows
        ]
        own = own_drum(strokes[kind][first], origins, groups, hits.audio, hit_groups)
        result[kind] = _plain(over_groups(by_group(own, groups, np.mean), trials.class_of, "mean"))
    return result


def among_variations(strokes: Mapping[str, Tensor], trials: TrialSet) -> dict[str, Any]:
    """Return how far strokes after the same reference differ from each other, beside the drummer's own."""
    pairs = [(i, i + 1) for i, (_, k) in enumerate(trials.rows[:-1]) if k == 0 and trials.rows[i + 1][1] == 1]
    groups = [trials.row_groups[i] for i, _ in pairs]
    result = {}
    for kind in (REAL, MODEL, "factors"):
        first, second = (strokes[kind][[pair[side] for pair in pairs]] for side in (0, 1))
        measures = spreads(measure_pairs(first, second), groups)
        result[kind] = {
            name: _plain(over_groups(measures[name], trials.class_of)) for name in ("lmd", "correlation")
        }
    return result


def calibration(player: Player, trials: TrialSet, settings: EvaluationSettings, tick: Tick) -> dict[str, Any]:
    """Return the amount for each class at which ghostnote's log-mel spread is a drummer's, to store in the card."""
    rows = [row for row in trials.rows if row[1] == 0]
    index = [i for i, row in enumerate(trials.rows) if row[1] == 0]
    references, groups = trials.references[index], [trials.row_groups[i] for i in index]
    real = spreads(measure_pairs(trials.references, trials.real), trials.row_groups)
    ratios: dict[str, dict[str, list[float]]] = {"lmd": {}, "correlation": {}}
    for done, amount in enumerate(settings.amounts, 1):
        made = player.variations(trials, rows=rows, steps=settings.steps, amount=amount)
        beside = beside_real(spreads(measure_pairs(references, made), groups), real)
        for name, curves in ratios.items():
            for group, value in beside[name].items():
                curves.setdefault(group, []).append(value)
        tick(done, len(settings.amounts))
    by_class: dict[str, list[Sequence[float]]] = {}
    for group, curve in ratios["lmd"].items():
        by_class.setdefault(trials.class_of[group], []).append(curve)
    factors = calibrate_amounts(settings.amounts, by_class)
    card = player.generator.card
    return {
        "tried": list(settings.amounts),
        "ratio": {name: _mean_curve(rows) for name, rows in by_class.items()},
        "correlation_difference": _mean_curve(list(ratios["correlation"].values())),
        "factor": {name or "all": factor for name, factor in factors.items()},
        "amounts": [
            round(card.amounts[label] * factors.get(name, factors[""]), 3)
            for label, name in enumerate((*card.classes, ""))
        ],
        "groups": {name: len(rows) for name, rows in by_class.items()},
    }


def _best_start(player: Player, trials: TrialSet, settings: EvaluationSettings) -> float:
    """Return the start at which edits spread most nearly as real strokes do, which is to their favour."""
    chosen = np.linspace(0, len(trials.rows) - 1, min(settings.edit_rows, len(trials.rows))).astype(int)
    references, labels = trials.references[chosen], trials.labels[chosen]
    real = np.nanmedian(measure_pairs(references, trials.real[chosen])["lmd"])

    def distance(start: float) -> float:
        made = player.edits(references, labels, start)
        return float(abs(np.log(np.nanmedian(measure_pairs(references, made)["lmd"]) / real)))

    return min(SDEDIT_STARTS, key=distance)


def _features(references: Tensor, made: Tensor) -> Tensor:
    parts = zip(torch.split(references, _CHUNK), torch.split(made, _CHUNK), strict=True)
    return torch.cat([pair_features(a, b) for a, b in parts])


def _mean_curve(rows: Sequence[Sequence[float]]) -> list[float]:
    return [round(float(v), 4) for v in np.nanmedian(np.asarray(rows, float), axis=0)]


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asdict(figure) for name, figure in figures.items()}

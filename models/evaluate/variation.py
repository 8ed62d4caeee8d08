"""Variations beside a drummer's own strokes: diversity, bias, C2ST, retrieval accuracy and calibration."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.evaluate.baselines import dsp_baseline
from ghostnote.models.evaluate.c2st import FAMILIES, c2st, pair_features, pair_weights
from ghostnote.models.evaluate.distributions import calibrate_amounts
from ghostnote.models.evaluate.diversity import (
    CHUNK,
    beside_real,
    biases,
    by_group,
    diversity,
    measure_pairs,
    measures_over_groups,
    over_groups,
    retrieval_accuracy,
)
from ghostnote.models.evaluate.player import SDEDIT_STARTS, ModelPlayer, Tick
from ghostnote.models.evaluate.settings import EvaluationSettings

REAL, MODEL = "real", "model"
KINDS: Final = {
    REAL: "the drummer's own other strokes",
    MODEL: "ghostnote",
    "decomposition": "the decomposition alone, without the network",
    "dsp_baseline": "the DSP baseline, which moves pitch, level and a high shelf at random",
    "sdedit": "SDEdit without a reference, at its best start",
}
"""Each kind of stroke that is compared with the reference, as a report describes it."""
_CLOSE: Final = (REAL, MODEL, "decomposition")
"""The kinds that retrieval and comparisons between strokes look at."""


def make_strokes(
    player: ModelPlayer, trials: TrialSet, settings: EvaluationSettings, tick: Tick
) -> tuple[dict[str, Tensor], float]:
    """Return the strokes of every kind (rows, HIT_FRAMES), and the start at which SDEdit is at its best."""
    references, labels = trials.references, trials.labels
    start = _best_start(player, trials, settings)
    strokes = {
        REAL: trials.real,
        MODEL: player.variations(trials, steps=settings.steps, tick=tick),
        "decomposition": player.variations(trials, steps=0),
        "dsp_baseline": dsp_baseline(references, torch.Generator().manual_seed(settings.seed)),
        "sdedit": player.edits(references, labels, start),
    }
    return strokes, start


def diversity_and_bias(strokes: Mapping[str, Tensor], trials: TrialSet) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the diversity and the bias of every kind: by measure, then by class."""
    groups, class_of = trials.row_groups, trials.class_of
    measures = {kind: measure_pairs(trials.references, made) for kind, made in strokes.items()}
    found = {kind: diversity(measured, groups) for kind, measured in measures.items()}
    result: dict[str, Any] = {
        kind: {
            "values": measures_over_groups(values, class_of),
            "beside_real": measures_over_groups(beside_real(values, found[REAL]), class_of),
        }
        for kind, values in found.items()
    }
    bias = {kind: measures_over_groups(biases(measured, groups), class_of) for kind, measured in measures.items()}
    return result, bias


def c2st_by_kind(strokes: Mapping[str, Tensor], trials: TrialSet, seed: int, tick: Tick) -> dict[str, Any]:
    """Return the C2ST accuracy of each kind beside real strokes, and of ghostnote by each family of features."""
    tests = [(kind, "all", slice(None)) for kind in strokes if kind != REAL]
    tests += [(MODEL, family, columns) for family, columns in FAMILIES.items()]
    return c2st_of(strokes, trials, seed, tests, tick)


def c2st_of(
    strokes: Mapping[str, Tensor],
    trials: TrialSet,
    seed: int,
    tests: Sequence[tuple[str, str, slice]],
    tick: Tick = lambda done, total: None,
) -> dict[str, Any]:
    """Return the C2ST accuracy of kinds of strokes beside the real ones, by families of features.

    `tests` names a kind, a family, and the columns of its features.
    """
    features = {kind: _features(trials.references, made) for kind, made in strokes.items()}
    groups = trials.row_groups * 2
    is_made = torch.arange(len(groups)) >= len(trials.rows)
    result: dict[str, Any] = {}
    for done, (kind, family, columns) in enumerate(tests, 1):
        both = torch.cat([features[REAL], features[kind]])[:, columns]
        found = c2st(both, is_made, groups, seed)
        correct = by_group(found.correct, groups, np.mean)
        result.setdefault(kind, {})[family] = {
            "classifier": found.classifier,
            "pairs": len(groups),
            "c2st_accuracy": over_groups(correct, trials.class_of, "mean"),
            "weighted": float((found.correct * pair_weights(is_made, groups).numpy()).sum()),
        }
        tick(done, len(tests))
    return result


def retrieval_by_kind(strokes: Mapping[str, Tensor], trials: TrialSet) -> dict[str, Any]:
    """Return how often the nearest of all hits of the split is of the stroke's own drum."""
    first = [i for i, (_, k) in enumerate(trials.rows) if k == 0]
    groups = [trials.row_groups[i] for i in first]
    hits, hit_groups = trials.hits, [file.group for file in trials.hits.files]
    result = {}
    for kind in _CLOSE:
        own_trials = [trials.trials[trials.rows[i][0]] for i in first]
        origins = [trial.others[0] if kind == REAL else trial.reference for trial in own_trials]
        correct = retrieval_accuracy(strokes[kind][first], origins, groups, hits.audio, hit_groups)
        result[kind] = over_groups(by_group(correct, groups, np.mean), trials.class_of, "mean")
    return result


def between_strokes(strokes: Mapping[str, Tensor], trials: TrialSet) -> dict[str, Any]:
    """Return how much two strokes of the same reference differ, for real strokes too."""
    pairs = [(i, i + 1) for i, (_, k) in enumerate(trials.rows[:-1]) if k == 0 and trials.rows[i + 1][1] == 1]
    groups = [trials.row_groups[i] for i, _ in pairs]
    result = {}
    for kind in _CLOSE:
        first, second = (strokes[kind][[pair[side] for pair in pairs]] for side in (0, 1))
        measures = diversity(measure_pairs(first, second), groups)
        result[kind] = {name: over_groups(measures[name], trials.class_of) for name in ("lmd", "correlation")}
    return result


def calibration(player: ModelPlayer, trials: TrialSet, settings: EvaluationSettings, tick: Tick) -> dict[str, Any]:
    """Return the amount for each class at which ghostnote's log-mel diversity is a drummer's, for the card."""
    ratios, differences = _ratios_by_amount(player, trials, settings, tick)
    by_class: dict[str, list[Sequence[float]]] = {}
    for group, curve in ratios.items():
        by_class.setdefault(trials.class_of[group], []).append(curve)
    factors = calibrate_amounts(settings.amounts, by_class)
    card = player.generator.card
    return {
        "tried": list(settings.amounts),
        "ratio": {name: _median_curve(curves) for name, curves in by_class.items()},
        "correlation_difference": _median_curve(list(differences.values())),
        "factor": {name or "all": factor for name, factor in factors.items()},
        "amounts": [
            round(card.amounts[label] * factors.get(name, factors[""]), 3)
            for label, name in enumerate((*card.classes, ""))
        ],
        "groups": {name: len(curves) for name, curves in by_class.items()},
    }


def _ratios_by_amount(
    player: ModelPlayer, trials: TrialSet, settings: EvaluationSettings, tick: Tick
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return each group's log-mel diversity ratio and its difference in correlation, for each amount."""
    index = [i for i, (_, k) in enumerate(trials.rows) if k == 0]
    rows, groups = [trials.rows[i] for i in index], [trials.row_groups[i] for i in index]
    references = trials.references[index]
    real = diversity(measure_pairs(trials.references, trials.real), trials.row_groups)
    curves: tuple[dict[str, list[float]], dict[str, list[float]]] = ({}, {})
    for done, amount in enumerate(settings.amounts, 1):
        made = player.variations(trials, rows=rows, steps=settings.steps, amount=amount)
        beside = beside_real(diversity(measure_pairs(references, made), groups), real)
        for name, by_name in zip(("lmd", "correlation"), curves, strict=True):
            for group, value in beside[name].items():
                by_name.setdefault(group, []).append(value)
        tick(done, len(settings.amounts))
    return curves


def _best_start(player: ModelPlayer, trials: TrialSet, settings: EvaluationSettings) -> float:
    """Return the start at which SDEdit's diversity is nearest to real strokes', which is to its favour."""
    chosen = np.linspace(0, len(trials.rows) - 1, min(settings.edit_rows, len(trials.rows))).astype(int)
    references, labels = trials.references[chosen], trials.labels[chosen]
    real = np.nanmedian(measure_pairs(references, trials.real[chosen])["lmd"])

    def distance(start: float) -> float:
        made = player.edits(references, labels, start)
        return float(abs(np.log(np.nanmedian(measure_pairs(references, made)["lmd"]) / real)))

    return min(SDEDIT_STARTS, key=distance)


def _features(references: Tensor, made: Tensor) -> Tensor:
    parts = zip(torch.split(references, CHUNK), torch.split(made, CHUNK), strict=True)
    return torch.cat([pair_features(a, b) for a, b in parts])


def _median_curve(curves: Sequence[Sequence[float]]) -> list[float]:
    return [round(float(value), 4) for value in np.nanmedian(np.asarray(curves, float), axis=0)]

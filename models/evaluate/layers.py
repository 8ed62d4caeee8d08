"""Strokes of a drum of which several were recorded: with one velocity layer left out, and with all strokes known.

They are made from the corpus's files, as a pad of many hits plays them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ghostnote.bridge.classify.layers import measured_velocities
from ghostnote.bridge.dsp.velocity import hit_level_db
from ghostnote.bridge.inference.stroke_source import StrokeSource
from ghostnote.bridge.kit.hits import PadHit, picks
from ghostnote.bridge.kit.kit import Pad
from ghostnote.models.data.corpus import fitted
from ghostnote.models.data.left_out import LeftOut, layer_levels_db, left_out_layers
from ghostnote.models.data.manifest import HitFile
from ghostnote.models.data.trial_set import TrialSet
from ghostnote.models.dsp.mdct import HIT_FRAMES, RATE
from ghostnote.models.dsp.metrics import describe
from ghostnote.models.evaluate.distributions import Estimate, bootstrap_ratio
from ghostnote.models.evaluate.diversity import by_group, measure_pairs, measures_over_groups, over_groups
from ghostnote.models.evaluate.player import ModelPlayer, Tick
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.variation import MODEL, REAL, c2st_of

_LEAST_EXCESS_DB: Final = 0.3
"""A drum whose layers lie no farther apart than this beyond the floor has no timbre to find."""
_STROKES: Final = 3
"""Most strokes of each layer that are compared."""
_DESCRIPTORS: Final = {"centroid": "centroid_hz", "t20": "t20_seconds"}
ONE, MANY = "one stroke known", "all strokes known"


def layers(player: ModelPlayer, trials: TrialSet, settings: EvaluationSettings, tick: Tick) -> dict[str, Any]:
    """Return how near strokes come to a velocity layer that is not known, from those that are.

    Distances are level-free log-mel ones: of real strokes of the layer from each other (floor), of the nearest known
    layer's real strokes (scaled) and of made ones, each to the layer's real strokes.
    """
    level_db = _levels(trials)
    left_out = left_out_layers(trials.groups, level_db, settings.layers_left_out)
    if not left_out:
        return {"layers": 0}
    source = StrokeSource(player.generator, RATE)
    measured = []
    for done, each in enumerate(left_out, 1):
        measured.append(_measured(source, trials, each, level_db, settings))
        tick(done, len(left_out))
    class_of = {group.name: group.drum_class for group in trials.groups}
    return {"layers": len(left_out)} | {
        name: _summary([m for each, m in zip(left_out, measured, strict=True) if each.between == is_between], class_of)
        for name, is_between in (("between", True), ("beyond", False))
    }


def known_strokes(player: ModelPlayer, trials: TrialSet, settings: EvaluationSettings, tick: Tick) -> dict[str, Any]:
    """Return the C2ST accuracy of strokes made from one real stroke, and from all of the drum's but the next real one.

    Of those a pad starts from each in turn: it is the stroke that comes after the one that starts from the reference.
    """
    source, level_db = StrokeSource(player.generator, RATE), _levels(trials)
    groups = {group.name: group for group in trials.groups}
    made = []
    for row, (number, place) in enumerate(trials.rows, 1):
        trial = trials.trials[number]
        velocities = _velocities([i for layer in groups[trial.group].layers for i in layer], level_db)
        velocity = velocities[trial.reference]
        del velocities[trial.others[place]]
        pad = _pad(trials.hits.files, trial.drum_class, velocities, settings, place)
        index = _after(trials.hits.files[trial.reference].path, pad, velocity)
        made.append(_stroke(source, pad, index, velocity))
        tick(row, len(trials.rows))
    strokes = {REAL: trials.real, ONE: player.variations(trials, steps=settings.steps), MANY: torch.stack(made)}
    return c2st_of(strokes, trials, settings.seed, [(ONE, "all", slice(None)), (MANY, "all", slice(None))])


def _after(reference: Path, pad: Pad, velocity: int) -> int:
    """Return the number of a stroke that comes after one that starts from `reference`."""
    starts = (next(picks(pad.hits, pad.seed, index, velocity)).file for index in count())
    return next(index for index, file in enumerate(starts, 1) if file == reference)


@dataclass(frozen=True)
class _Measured:
    """What is measured of one layer that is left out."""

    group: str
    distances: Mapping[str, float]
    changes: Mapping[str, "DescriptorChange"]
    """By descriptor."""


class DescriptorChange(NamedTuple):
    """The change of a descriptor's logarithm from the nearest known layer to the one that is left out.

    All are NaN where one of both has a single stroke.
    """

    real: float
    """By the first half of the real strokes."""
    real_again: float
    """By the second half, from which both others start."""
    made: float
    interpolated: float
    """The descriptor itself, in a straight line over level between the known layers: no stroke, and no better guess."""


def _measured(
    source: StrokeSource, trials: TrialSet, each: LeftOut, level_db: Sequence[float], settings: EvaluationSettings
) -> _Measured:
    audio, own = trials.hits.audio, each.group.layers
    targets, nearest = own[each.layer], own[each.nearest]
    known = [i for place in each.known for i in own[place]]
    velocities = _velocities([*known, *targets], level_db)
    pad = _pad(trials.hits.files, each.group.drum_class, {i: velocities[i] for i in known}, settings, 0)
    made = torch.stack([_stroke(source, pad, index, velocities[targets[0]]) for index in range(_STROKES)])
    compared = audio[list(targets[:_STROKES])]
    real = audio[list(nearest[:_STROKES])]
    distances = {
        "floor": _floor(audio, own, each.layer),
        "scaled": _distance(real, compared),
        MODEL: _distance(made, compared),
    }
    changes = {name: descriptor_change(field, audio, each, level_db, made) for name, field in _DESCRIPTORS.items()}
    return _Measured(each.group.name, distances, changes)


def descriptor_change(
    field: str, audio: Tensor, each: LeftOut, level_db: Sequence[float], made: Tensor
) -> DescriptorChange:
    """Return how a `field` of `Description` changes to a layer that is left out, of hits (hits, HIT_FRAMES)."""
    own = each.group.layers
    halves = [[own[place][start::2] for place in (each.nearest, each.layer)] for start in (0, 1)]
    if not all(part for half in halves for part in half):
        return DescriptorChange(*[float("nan")] * len(DescriptorChange._fields))
    (near, target), (near_again, target_again) = ([_log(field, audio[list(part)]) for part in half] for half in halves)
    values = [near_again if place == each.nearest else _log(field, audio[list(own[place])]) for place in each.known]
    levels = layer_levels_db(each.group, level_db)
    between = float(np.interp(levels[each.layer], [levels[place] for place in each.known], values))
    return DescriptorChange(
        target - near, target_again - near_again, _log(field, made) - near_again, between - near_again
    )


def _log(field: str, hits: Tensor) -> float:
    return float(getattr(describe(hits), field).log().nanmedian())


def _levels(trials: TrialSet) -> list[float]:
    return [hit_level_db(hit.numpy()[None], RATE) for hit in trials.hits.audio]


def _velocities(hits: Sequence[int], level_db: Sequence[float]) -> dict[int, int]:
    """Return the velocity of each hit as a kit reads it that gives none: by its level, alike where levels are."""
    return dict(zip(hits, measured_velocities([level_db[i] for i in hits]), strict=True))


def _pad(
    files: Sequence[HitFile], drum_class: str, velocities: Mapping[int, int], settings: EvaluationSettings, number: int
) -> Pad:
    """Return a pad of hits by their velocity; another `number` makes other strokes."""
    hits = tuple(PadHit(files[i].path, velocity, velocity) for i, velocity in velocities.items())
    pad = Pad("Drum", (38,), drum_class, seed=settings.seed + number, hits=hits)
    return pad if settings.steps is None else replace(pad, steps=settings.steps)


def _stroke(source: StrokeSource, pad: Pad, index: int, velocity: int) -> Tensor:
    stroke = source.stroke(pad, index, velocity)
    return torch.from_numpy(fitted(stroke.mean(axis=0), HIT_FRAMES, RATE))


def _floor(audio: Tensor, layers: Sequence[Sequence[int]], place: int) -> float:
    """Return how far real strokes of the layer are from each other, or those of the other layers where it has one."""
    own = [pair for layer in ([layers[place]], layers)[len(layers[place]) < 2] for pair in pairwise(layer)]
    if not own:
        return float("nan")
    first, second = (audio[[pair[side] for pair in own]] for side in (0, 1))
    return float(np.nanmedian(measure_pairs(first, second)["lmd"]))


def _distance(a: Tensor, b: Tensor) -> float:
    """Return the median distance of all pairs of two sets of strokes."""
    measures = measure_pairs(a.repeat_interleave(len(b), 0), b.repeat(len(a), 1))
    return float(np.nanmedian(measures["lmd"]))


def _summary(measured: Sequence[_Measured], class_of: Mapping[str, str]) -> dict[str, Any]:
    """Return the distances by class, and how much of the excess over the floor remains, over all groups."""
    groups = [found.group for found in measured]
    distances = {
        kind: by_group(np.array([found.distances[kind] for found in measured]), groups, np.mean)
        for kind in ("floor", "scaled", MODEL)
    }
    remaining = {}
    for group, floor in distances["floor"].items():
        made, scaled = (distances[kind][group] - floor for kind in (MODEL, "scaled"))
        remaining[group] = made / scaled if scaled >= _LEAST_EXCESS_DB else float("nan")
    return {
        "layers": len(measured),
        "distance_db": measures_over_groups(distances, class_of),
        "remaining": over_groups(remaining, class_of),
        "slopes": {name: asdict(_slope(measured, name, "made")) for name in _DESCRIPTORS},
        "interpolated_slopes": {name: asdict(_slope(measured, name, "interpolated")) for name in _DESCRIPTORS},
    }


def _slope(measured: Sequence[_Measured], name: str, kind: str) -> Estimate:
    """Return the slope of a `kind` of changes of a descriptor over the real ones; 1 is as real.

    Real changes are known through a few strokes, and least squares would take the error for a smaller slope. So the
    other half of the strokes is the instrument (Wald 1940).
    """
    changes = [found.changes[name] for found in measured]
    rows = np.array([(each.real, each.real_again, getattr(each, kind)) for each in changes]).reshape(-1, 3)
    first, second, other = np.where(np.isfinite(rows).all(axis=1)[:, None], rows, 0.0).T
    groups = [found.group for found in measured]
    above, below = (by_group(first * change, groups, np.sum) for change in (other, second))
    return bootstrap_ratio([*above.values()], [*below.values()])

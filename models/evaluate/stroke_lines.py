"""The spectral lines of strokes beside the drummer's own strokes, beside their reference, and over the amount."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ghostnote.models.data.trial_set import Hits, TrialSet
from ghostnote.models.data.trials import Trial
from ghostnote.models.dsp.lines import ATTACK, BANDS_HZ, line_prominence, main_partial, spurious_lines
from ghostnote.models.dsp.metrics import describe
from ghostnote.models.dsp.partial_track import follow_partial
from ghostnote.models.evaluate.diversity import CHUNK, by_group, measure_pairs, over_groups
from ghostnote.models.evaluate.player import ModelPlayer, Tick
from ghostnote.models.evaluate.settings import EvaluationSettings
from ghostnote.models.evaluate.variation import MODEL, REAL

REFERENCE: Final = "reference"
BANDS: Final = tuple(f"{low:.0f}–{high:.0f} Hz" for low, high in BANDS_HZ)
"""The names of the bands of line prominence."""
RIPPLE: Final = "ripple"
SPURIOUS: Final = "spurious"
ATTACK_SPURIOUS: Final = "attack_spurious"
"""The same in the first 0.1 s."""
SPURIOUS_SHARES: Final = {SPURIOUS: "spurious_share", ATTACK_SPURIOUS: "attack_spurious_share"}
"""The names of the shares of strokes with a spurious line that is louder than `AUDIBLE_DB`."""
AUDIBLE_DB: Final = -50.0
"""Under the reference's strongest line."""
_SMALLEST: Final = 0.01
"""The amount at which a stroke should be all but its reference."""

_Values = Mapping[str, NDArray[np.float64]]


def every_drum(hits: Hits, per_drum: int) -> TrialSet:
    """Return trials without other strokes: up to `per_drum` hits of every drum, from the softest to the loudest."""
    members: dict[str, list[int]] = {}
    level_db = describe(hits.audio).level_db.tolist()
    for i in sorted(range(len(hits.files)), key=level_db.__getitem__):
        members.setdefault(hits.files[i].group, []).append(i)
    trials = [
        Trial(group, hits.files[own[-1]].drum_class, own[place], (), (own[place],))
        for group, own in members.items()
        for place in sorted(set(np.linspace(0, len(own) - 1, per_drum + 1).astype(int)[1:].tolist()))
    ]
    return TrialSet(hits, (), tuple(trials))


def lines_beside_real(strokes: Mapping[str, Tensor], trials: TrialSet) -> dict[str, Any]:
    """Return lines of the references, of the drummer's strokes and of ghostnote's, and the latter's difference."""
    kinds = {REFERENCE: trials.references, REAL: strokes[REAL], MODEL: strokes[MODEL]}
    measured = {kind: _measure(trials.references, x) for kind, x in kinds.items()}
    return _by_class(measured, REAL, trials.row_groups, trials.class_of)


def lines_beside_references(player: ModelPlayer, drums: TrialSet, steps: int | None, tick: Tick) -> dict[str, Any]:
    """Return lines of one stroke of every drum of `every_drum` beside its reference, by class and for each hit."""
    chosen = [trial.reference for trial in drums.trials]
    references = drums.hits.audio[chosen]
    made = player.variations(drums, rows=[(i, 0) for i in range(len(chosen))], steps=steps, tick=tick)
    measured = {kind: _measure(references, x) for kind, x in ((REFERENCE, references), (MODEL, made))}
    groups = [trial.group for trial in drums.trials]
    hits = [
        {
            "file": drums.hits.files[i].path.name,
            "class": drums.hits.files[i].drum_class,
            **{kind: {name: _plain(values[row]) for name, values in found.items()} for kind, found in measured.items()},
        }
        for row, i in enumerate(chosen)
    ]
    return {**_by_class(measured, REFERENCE, groups, drums.class_of), "hits": hits}


def amount_curve(player: ModelPlayer, drums: TrialSet, settings: EvaluationSettings, tick: Tick) -> dict[str, Any]:
    """Return the log-mel distance of strokes to their reference over the amount, on a few drums of each class.

    `departure` is how far the curve lies at most from the straight line from 0 to its value at 1, as a share of that
    value; `correlation` is that of the waveforms at the smallest amount.
    """
    rows = _spread_over_classes(drums, settings.curve_drums)
    references = drums.hits.audio[[drums.trials[i].reference for i in rows]]
    groups = [drums.trials[i].group for i in rows]
    distances, correlations = [], []
    for done, amount in enumerate(settings.curve, 1):
        made = player.variations(drums, rows=[(i, 0) for i in rows], steps=settings.steps, amount=amount)
        measures = measure_pairs(references, made)
        distances.append(measures["lmd"])
        correlations.append(measures["correlation"])
        tick(done, len(settings.curve))
    amounts, curves = np.asarray(settings.curve), np.stack(distances, 1)
    at_one = curves[:, [settings.curve.index(1.0)]]
    departure = np.abs(curves / np.maximum(at_one, 1e-9) - amounts).max(1)
    smallest = correlations[settings.curve.index(_SMALLEST)]
    by_amount = [over_groups(by_group(curve, groups), drums.class_of) for curve in distances]
    return {
        "amounts": amounts.tolist(),
        "distance_db": {name: [found[name] for found in by_amount] for name in by_amount[0]},
        "departure": over_groups(by_group(departure, groups), drums.class_of),
        "correlation": over_groups(by_group(smallest, groups), drums.class_of),
    }


def _measure(references: Tensor, strokes: Tensor) -> _Values:
    """Return line prominence by band, the ripple of the reference's main partial and spurious lines, in dB."""
    parts: list[Tensor] = []
    for reference, stroke in zip(torch.split(references, CHUNK), torch.split(strokes, CHUNK), strict=True):
        track = follow_partial(stroke, main_partial(reference))
        body, attack = spurious_lines(reference, stroke), spurious_lines(reference, stroke, ATTACK)
        single = (track.ripple_db, body.level_db, body.hz, attack.level_db)
        parts.append(torch.cat([line_prominence(stroke), torch.stack(single, 1)], 1))
    table = torch.cat(parts).double().numpy()
    return {name: table[:, i] for i, name in enumerate((*BANDS, RIPPLE, SPURIOUS, "spurious_hz", ATTACK_SPURIOUS))}


def _by_class(
    measured: Mapping[str, _Values], base: str, groups: Sequence[str], class_of: Mapping[str, str]
) -> dict[str, Any]:
    """Return each measure by kind and class, with the difference of ghostnote's strokes from those of `base`."""

    def over_drums(values: NDArray[np.float64]) -> dict[str, Any]:
        return over_groups(by_group(values, groups), class_of)

    def shares(levels: NDArray[np.float64]) -> dict[str, Any]:
        audible = np.where(np.isnan(levels), np.nan, levels > AUDIBLE_DB)
        return over_groups(by_group(audible, groups, np.mean), class_of, "mean")

    lines = {
        name: {
            **{kind: over_drums(values[name]) for kind, values in measured.items()},
            "difference": over_drums(measured[MODEL][name] - measured[base][name]),
        }
        for name in (*BANDS, RIPPLE, SPURIOUS)
    }
    return lines | {
        share: {kind: shares(values[name]) for kind, values in measured.items()}
        for name, share in SPURIOUS_SHARES.items()
    }


def _spread_over_classes(drums: TrialSet, per_class: int) -> list[int]:
    """Return the last, loudest row of up to so many drums of each class."""
    last = {trial.group: i for i, trial in enumerate(drums.trials)}
    by_class: dict[str, list[int]] = {}
    for i in last.values():
        by_class.setdefault(drums.trials[i].drum_class, []).append(i)
    places = [np.linspace(0, len(own) - 1, min(per_class, len(own))).astype(int) for own in by_class.values()]
    return [own[at] for own, chosen in zip(by_class.values(), places, strict=True) for at in chosen]


def _plain(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None

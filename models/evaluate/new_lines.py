"""The partials, the end and the diversity of new drums, beside the corpus's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.data.trial_set import Hits
from ghostnote.models.dsp.endings import GATED_DB, ending
from ghostnote.models.dsp.lines import line_prominence, main_partial, partials
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.dsp.metrics import distances_to, log_mel
from ghostnote.models.dsp.partial_track import follow_partial
from ghostnote.models.evaluate.distributions import bootstrap
from ghostnote.models.evaluate.diversity import CHUNK, by_group
from ghostnote.models.evaluate.stroke_lines import BANDS

FIELDS: Final = (*BANDS, "partials", "persistence", "pitch_deviation", "length", "end_level", "decay", "t60", "gated")
_MOST_DRUMS: Final = 40
"""Drums of the corpus between which distances are measured."""


def new_lines(sounds: Mapping[str, Tensor], corpus: Sequence[Hits]) -> dict[str, Any]:
    """Return, by class, estimates of FIELDS and the diversity of new drums ('model') and of the corpus's ('corpus').

    `diversity` is the mean log-mel distance in dB from one drum to the others of its class. One hit counts for each
    drum of the corpus, its loudest.
    """
    result: dict[str, Any] = {}
    for label, name in enumerate(CLASS_NAMES):
        real = drums_of(corpus, label)
        if len(real) > 1 and len(sounds[name]) > 1:
            result[name] = {"model": _described(sounds[name]), "corpus": _described(real)}
    return result


def drums_of(corpus: Sequence[Hits], label: int) -> Tensor:
    """Return the loudest hit of every drum of a class, (drums, frames)."""
    found = []
    for hits in corpus:
        groups = [file.group for file in hits.files]
        peaks = hits.audio.abs().amax(1).double().numpy()
        peaks[hits.labels.numpy() != label] = np.nan
        loudest = by_group(peaks, groups, np.max)
        own = {groups[i]: i for i in range(len(groups)) if peaks[i] == loudest[groups[i]]}
        found.append(hits.audio[sorted(own.values())])
    return torch.cat(found)


def _described(x: Tensor) -> dict[str, Any]:
    columns = torch.cat([_measure(part) for part in torch.split(x, CHUNK)])
    found = {name: asdict(bootstrap(columns[:, i].tolist(), _statistic(name))) for i, name in enumerate(FIELDS)}
    return {**found, "diversity": asdict(bootstrap(mean_distances(x), "mean"))}


def _statistic(name: str) -> str:
    return "mean" if name == "gated" else "median"


def _measure(x: Tensor) -> Tensor:
    """Return FIELDS of each hit, (hits, fields)."""
    found, end = partials(x), ending(x)
    deviation = follow_partial(x, main_partial(x)).pitch_deviation_cents
    gated = torch.where(end.level_db.isnan(), torch.nan, (end.level_db > GATED_DB).float())
    columns = [
        found.number,
        found.persistence,
        deviation,
        end.seconds,
        end.level_db,
        end.decay_db_per_second,
        end.t60_seconds,
        gated,
    ]
    return torch.cat([line_prominence(x), torch.stack(columns, 1)], 1)


def mean_distances(x: Tensor) -> NDArray[np.float64]:
    """Return each hit's mean log-mel distance in dB to the others, of at most _MOST_DRUMS spread over all."""
    chosen = np.linspace(0, len(x) - 1, min(len(x), _MOST_DRUMS)).astype(int)
    power = log_mel(x[chosen, :HIT_FRAMES])
    distances = distances_to(power, power).double().numpy()
    np.fill_diagonal(distances, np.nan)
    return np.asarray(np.nanmean(distances, axis=1))

"""How steady a drum's strokes are, told from one of them: their coherence, and how far their spectra stray.

A ringing drum repeats its partials nearly to the sample, a rattling one nothing but its envelope, whatever the
class. So both are predicted from a stroke's traits by ridge regression (Hoerl & Kennard 1970) over the drums
of the corpus, the class being one trait among others.
"""

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.dsp.decomposition import (
    GROUPS,
    SEGMENTS,
    envelope_to_segments,
    group_exponents,
)
from ghostnote.models.dsp.noise_shaping import tonality

COMPONENTS: Final = 32
"""Ways in which a stroke's spectrum strays."""
SHARED_LATENT: Final = 6
"""Numbers that decide how closely a stroke follows: not every stroke of a drummer strays alike."""
SPANS: Final = SEGMENTS - 1
"""Time segments for peakedness: the first two are one, as four steps say too little."""
LATENT_SIZE: Final = COMPONENTS + SHARED_LATENT + GROUPS * SPANS
"""Numbers that decide a stroke beside its noise: how far it goes each way, its luck, and what is each cell's own."""
FEATURES: Final = 2 * GROUPS + SEGMENTS + len(CLASS_NAMES)
TARGETS: Final = GROUPS * SEGMENTS + GROUPS
COHERENCE_LIMIT: Final = 0.995
_LEAST_COHERENCE: Final = 1e-3
_RIDGE: Final = 20.0
_LOWEST_LOG: Final = -9.0
FURTHEST_DB: Final = 20.0
"""Spectra stray no further than this, whatever is measured or predicted."""
_LEAST_SQUARE_DB: Final = 0.02


@dataclass(frozen=True)
class Repeatability:
    """What is predicted from traits, and in which ways spectra stray."""

    weight: Tensor
    """(FEATURES, TARGETS)."""
    bias: Tensor
    """(TARGETS,): the outcome of a stroke without any trait."""
    principal_components: Tensor
    """(COMPONENTS, GROUPS, SEGMENTS): independent ways to stray, each cell of variance 1 over all."""


@dataclass(frozen=True)
class DrumStatistics:
    """What a drum's strokes say: means over its pairs."""

    features: Tensor
    """(FEATURES,)."""
    coherence: Tensor
    """(GROUPS, SEGMENTS)."""
    spectral_deviation_db: Tensor
    """(pairs, GROUPS, SEGMENTS)."""


def repeatability_features(power: Tensor, log_envelope: Tensor, label: Tensor) -> Tensor:
    """Return the traits (batch, FEATURES) of hits: tonality, spectrum, decay and class.

    `power` (batch, BANDS, LINES) is their `line_power`, `label` (batch,) the classes.
    """
    level = (log_envelope / group_exponents(power.device)[:, None]).clamp_min(_LOWEST_LOG)
    cells = envelope_to_segments(level)
    spectrum = cells.mean(2) - cells.mean((1, 2))[:, None]
    known = F.one_hot(label, len(CLASS_NAMES) + 1)[:, :-1].to(power.dtype)
    return torch.cat([tonality(power), spectrum, cells.mean(1), known], dim=1)


def predict(weight: Tensor, bias: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """Return coherence (batch, GROUPS, SEGMENTS) and how far spectra stray in dB (batch, GROUPS) by traits."""
    targets = bias + features @ weight
    coherence = targets[:, : GROUPS * SEGMENTS].unflatten(1, (GROUPS, SEGMENTS))
    spectral_deviation_db = targets[:, GROUPS * SEGMENTS :].exp()
    return coherence.clamp(0.0, COHERENCE_LIMIT), spectral_deviation_db.clamp(max=FURTHEST_DB)


def shift_logit(coherence: Tensor, shift: Tensor) -> Tensor:
    """Return `coherence` (batch, GROUPS, SEGMENTS) moved by `shift` (the same, or one for all) in its logit."""
    inside = coherence.clamp(_LEAST_COHERENCE, COHERENCE_LIMIT)
    return torch.sigmoid((inside / (1 - inside)).log() + shift).clamp(max=COHERENCE_LIMIT)


def fit_repeatability(drums: list[DrumStatistics]) -> Repeatability:
    """Fit the predictions to `drums`, each counting alike; without any, strokes share and stray nothing."""
    if not drums:
        blank = torch.zeros(TARGETS)
        blank[GROUPS * SEGMENTS :] = 0.5 * torch.tensor(_LEAST_SQUARE_DB).log()
        return Repeatability(torch.zeros(FEATURES, TARGETS), blank, torch.zeros(COMPONENTS, GROUPS, SEGMENTS))
    square = [drum.spectral_deviation_db.square().mean((0, 2)) + _LEAST_SQUARE_DB for drum in drums]
    targets = torch.stack(
        [torch.cat([d.coherence.flatten(), 0.5 * s.log()]) for d, s in zip(drums, square, strict=True)]
    )
    features = torch.stack([drum.features for drum in drums])
    mean, middle = targets.mean(0), features.mean(0)
    spread = features.std(0, correction=0)
    x = (features - middle) / spread.clamp_min(1e-3)
    ridge = torch.linalg.solve(x.t() @ x + _RIDGE * torch.eye(FEATURES), x.t() @ (targets - mean))
    weight = ridge / spread.clamp_min(1e-3)[:, None]
    return Repeatability(weight, mean - middle @ weight, _principal_components(drums, square))


def _principal_components(drums: list[DrumStatistics], square: list[Tensor]) -> Tensor:
    """Return the principal ways in which spectra stray, each drum's extent taken out (COMPONENTS, GROUPS, SEGMENTS)."""
    cells = GROUPS * SEGMENTS
    covariance = torch.zeros(cells, cells)
    for drum, power in zip(drums, square, strict=True):
        x = (drum.spectral_deviation_db / power.sqrt()[:, None]).flatten(1)
        covariance += x.t() @ x / (len(x) * len(drums))
    values, vectors = torch.linalg.eigh(covariance)
    principal_components = (vectors * values.clamp_min(0).sqrt())[:, -COMPONENTS:]
    # What the ways that are left out would have added is spread over those kept, cell by cell.
    kept = principal_components.square().sum(1, keepdim=True).clamp_min(1e-6)
    principal_components = principal_components * (covariance.diag()[:, None] / kept).sqrt().clamp(max=2.0)
    kept_components: Tensor = principal_components.t().reshape(COMPONENTS, GROUPS, SEGMENTS).contiguous()
    return kept_components

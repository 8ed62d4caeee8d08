"""Repeatability: the coherence and spectral deviation of a drum's strokes, predicted from one of them.

A ringing drum repeats its partials nearly to the sample, a rattling one nothing but its envelope, whatever the
class. So both are predicted from a stroke's features by ridge regression (Hoerl & Kennard 1970) over the drums
of the corpus, the class being one feature among others.
"""

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS, envelope_to_segments, group_exponents
from ghostnote.models.dsp.noise_shaping import tonality

COMPONENTS: Final = 32
"""Principal components of the deviation of a stroke's spectrum."""
SHARED_LATENT: Final = 6
"""Latent numbers that all cells share: how far a stroke as a whole deviates varies from stroke to stroke."""
SPANS: Final = SEGMENTS - 1
"""Time segments for sparsity: the first two are merged, as four frames are too few to measure it."""
LATENT_SIZE: Final = COMPONENTS + SHARED_LATENT + GROUPS * SPANS
"""Latent numbers of a stroke: scores of the components, the shared latent, and one for each cell's sparsity."""
FEATURES: Final = 2 * GROUPS + SEGMENTS + len(CLASS_NAMES)
TARGETS: Final = GROUPS * SEGMENTS + GROUPS
COHERENCE_LIMIT: Final = 0.995
_LEAST_COHERENCE: Final = 1e-3
_RIDGE: Final = 20.0
_LOWEST_LOG: Final = -9.0
FURTHEST_DB: Final = 20.0
"""Limit of spectral deviation, measured or predicted."""
_LEAST_SQUARE_DB: Final = 0.02


@dataclass(frozen=True)
class Repeatability:
    """The regression from features to targets, and the principal components of spectral deviation."""

    weight: Tensor
    """(FEATURES, TARGETS)."""
    bias: Tensor
    """(TARGETS,): the targets where all features are 0."""
    principal_components: Tensor
    """(COMPONENTS, GROUPS, SEGMENTS), independent; each cell has variance 1 over all of them."""


@dataclass(frozen=True)
class DrumStatistics:
    """What is measured of a drum: means over its pairs of strokes."""

    features: Tensor
    """(FEATURES,)."""
    coherence: Tensor
    """(GROUPS, SEGMENTS)."""
    spectral_deviation_db: Tensor
    """(pairs, GROUPS, SEGMENTS)."""


def repeatability_features(power: Tensor, log_envelope: Tensor, label: Tensor) -> Tensor:
    """Return the features (batch, FEATURES) of hits: tonality, spectrum, decay and class.

    `power` (batch, BANDS, LINES) is their `line_power`, `label` (batch,) the classes.
    """
    level = (log_envelope / group_exponents(power.device)[:, None]).clamp_min(_LOWEST_LOG)
    cells = envelope_to_segments(level)
    spectrum = cells.mean(2) - cells.mean((1, 2))[:, None]
    classes = F.one_hot(label, len(CLASS_NAMES) + 1)[:, :-1].to(power.dtype)
    return torch.cat([tonality(power), spectrum, cells.mean(1), classes], dim=1)


def predict(weight: Tensor, bias: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
    """Return coherence (batch, GROUPS, SEGMENTS) and spectral deviation in dB (batch, GROUPS) from features."""
    targets = bias + features @ weight
    coherence = targets[:, : GROUPS * SEGMENTS].unflatten(1, (GROUPS, SEGMENTS))
    spectral_deviation_db = targets[:, GROUPS * SEGMENTS :].exp()
    return coherence.clamp(0.0, COHERENCE_LIMIT), spectral_deviation_db.clamp(max=FURTHEST_DB)


def shift_logit(coherence: Tensor, shift: Tensor) -> Tensor:
    """Return `coherence` (batch, GROUPS, SEGMENTS) with `shift` (the same, or one for all) added to its logit."""
    inside = coherence.clamp(_LEAST_COHERENCE, COHERENCE_LIMIT)
    return torch.sigmoid((inside / (1 - inside)).log() + shift).clamp(max=COHERENCE_LIMIT)


def fit_repeatability(drums: list[DrumStatistics]) -> Repeatability:
    """Fit the regression to `drums`, equally weighted; without any, all coherence and deviation is zero."""
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
    """Return the principal components (COMPONENTS, GROUPS, SEGMENTS) of deviations over each drum's own extent."""
    cells = GROUPS * SEGMENTS
    covariance = torch.zeros(cells, cells)
    for drum, power in zip(drums, square, strict=True):
        x = (drum.spectral_deviation_db / power.sqrt()[:, None]).flatten(1)
        covariance += x.t() @ x / (len(x) * len(drums))
    values, vectors = torch.linalg.eigh(covariance)
    components = (vectors * values.clamp_min(0).sqrt())[:, -COMPONENTS:]
    # The variance of the components left out is spread over those kept, cell by cell.
    kept = components.square().sum(1, keepdim=True).clamp_min(1e-6)
    components = components * (covariance.diag()[:, None] / kept).sqrt().clamp(max=2.0)
    scaled: Tensor = components.t().reshape(COMPONENTS, GROUPS, SEGMENTS).contiguous()
    return scaled

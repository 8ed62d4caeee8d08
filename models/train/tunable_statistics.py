"""The statistics that adversarial fine-tuning changes beside the sound network."""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.statistics.corpus_statistics import Fold

_FIRST_EXTENT: Final = 0.35
_FIRST_COHERENCE_OFFSET: Final = -0.3
_FIRST_SPARSITY: Final = 0.1
_ADDED: Final = ("coherence_shift", "spectral_contrast", "extent", "coherence_offset", "sparsity")
"""Statistics that change by addition."""
_FITTED: Final = ("principal_components", "repeatability_weight", "repeatability_bias")


class TunableStatistics(nn.Module):
    """Changes to a model's statistics, as parameters."""

    def __init__(self, model: Cascade) -> None:
        """Begin at the statistics of `model`, which stays as it is."""
        super().__init__()
        self.initial = {name: getattr(model, name).clone() for name in (*_ADDED, *_FITTED)}
        if not self.initial["extent"].any():
            # A model that was never fine-tuned: begin with one shared latent for all cells.
            self.initial["extent"][0] = _FIRST_EXTENT
            self.initial["coherence_offset"][0] = _FIRST_COHERENCE_OFFSET
            self.initial["sparsity"][1] = _FIRST_SPARSITY
        self.added = nn.ParameterDict({name: torch.zeros_like(self.initial[name]) for name in _ADDED})
        self.deviation = nn.Parameter(torch.zeros(GROUPS))
        self.log_gain = nn.Parameter(torch.zeros(GROUPS, SEGMENTS))
        """Of the principal components."""

    def changed(self, fold: Fold | None = None) -> dict[str, Tensor]:
        """Return the changed statistics by the names of the model's buffers; gradients lead back to the changes.

        With a `fold`, repeatability is as predicted without the fold's drums.
        """
        initial = self.initial
        bias = initial["repeatability_bias"] + F.pad(self.deviation, (GROUPS * SEGMENTS, 0))
        return {
            **{name: initial[name] + change for name, change in self.added.items()},
            "principal_components": initial["principal_components"] * self.log_gain.exp(),
            "repeatability_weight": initial["repeatability_weight"] + (fold.weight if fold else 0),
            "repeatability_bias": bias + (fold.bias if fold else 0),
        }

    def size(self) -> Tensor:
        """Return how large the changes are, the sum of their squares, ()."""
        return torch.stack([parameter.square().sum() for parameter in self.parameters()]).sum()

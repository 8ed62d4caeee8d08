"""The tables that are tuned beside the sound network: what strokes share, how far they stray, and how they sound."""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.models.dsp.decomposition import GROUPS, SEGMENTS
from ghostnote.models.nets.cascade import Cascade
from ghostnote.models.statistics.corpus_statistics import Fold

_FIRST_EXTENT: Final = 0.35
_FIRST_LOOSENESS: Final = -0.3
_FIRST_PEAK_SPREAD: Final = 0.1
_LUCKS: Final = ("extent", "coherence_offset", "sparsity")


class Tables(nn.Module):
    """What is tuned beside the network, as changes to a model's tables."""

    def __init__(self, model: Cascade) -> None:
        """Begin at the tables of `model`, whose own are replaced by each `apply_to`."""
        super().__init__()
        self.coherence = nn.Parameter(torch.zeros(GROUPS, SEGMENTS))
        self.deviation = nn.Parameter(torch.zeros(GROUPS))
        self.principal_components = nn.Parameter(torch.zeros(GROUPS, SEGMENTS))
        self.spectral_contrast = nn.Parameter(torch.zeros(GROUPS))
        for name in _LUCKS:
            setattr(self, name, nn.Parameter(torch.zeros_like(getattr(model, name))))
        names = (
            "coherence_shift",
            "repeatability_weight",
            "repeatability_bias",
            "principal_components",
            "spectral_contrast",
        )
        self.first = {name: getattr(model, name).clone() for name in (*names, *_LUCKS)}
        if not self.first["extent"].any():
            # A model that was never tuned: one luck for all cells to begin with.
            self.first["extent"][0] = _FIRST_EXTENT
            self.first["coherence_offset"][0] = _FIRST_LOOSENESS
            self.first["sparsity"][1] = _FIRST_PEAK_SPREAD

    def apply_to(self, model: Cascade, fold: Fold | None = None) -> None:
        """Give `model` the changed tables, as told without the drums of `fold`; gradients lead back to the changes."""
        model.coherence_shift = self.first["coherence_shift"] + self.coherence
        model.repeatability_weight = self.first["repeatability_weight"] + (fold.weight if fold else 0)
        model.repeatability_bias = self.first["repeatability_bias"] + F.pad(
            self.deviation, (GROUPS * SEGMENTS, 0)
        )
        if fold:
            model.repeatability_bias = model.repeatability_bias + fold.bias
        model.principal_components = self.first["principal_components"] * self.principal_components.exp()
        model.spectral_contrast = self.first["spectral_contrast"] + self.spectral_contrast
        model.extent = self.first["extent"] + self.extent
        model.coherence_offset = self.first["coherence_offset"] + self.coherence_offset
        model.sparsity = self.first["sparsity"] + self.sparsity

    def restraint(self) -> Tensor:
        """Return how large the changes are, ()."""
        return torch.stack([parameter.square().sum() for parameter in self.parameters()]).sum()

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
_LUCKS: Final = ("extent", "looseness", "peakedness")


class Tables(nn.Module):
    """What is tuned beside the network, as changes to a model's tables."""

    def __init__(self, model: Cascade) -> None:
        """Begin at the tables of `model`, whose own are replaced by each `apply_to`."""
        super().__init__()
        self.coherence = nn.Parameter(torch.zeros(GROUPS, SEGMENTS))
        self.strayed = nn.Parameter(torch.zeros(GROUPS))
        self.ways = nn.Parameter(torch.zeros(GROUPS, SEGMENTS))
        self.sharpness = nn.Parameter(torch.zeros(GROUPS))
        for name in _LUCKS:
            setattr(self, name, nn.Parameter(torch.zeros_like(getattr(model, name))))
        names = ("coherence_shift", "steady_weight", "steady_bias", "ways", "sharpness")
        self.first = {name: getattr(model, name).clone() for name in (*names, *_LUCKS)}
        if not self.first["extent"].any():
            # A model that was never tuned: one luck for all cells to begin with.
            self.first["extent"][0] = _FIRST_EXTENT
            self.first["looseness"][0] = _FIRST_LOOSENESS
            self.first["peakedness"][1] = _FIRST_PEAK_SPREAD

    def apply_to(self, model: Cascade, fold: Fold | None = None) -> None:
        """Give `model` the changed tables, as told without the drums of `fold`; gradients lead back to the changes."""
        model.coherence_shift = self.first["coherence_shift"] + self.coherence
        model.steady_weight = self.first["steady_weight"] + (fold.weight if fold else 0)
        model.steady_bias = self.first["steady_bias"] + F.pad(self.strayed, (GROUPS * SEGMENTS, 0))
        if fold:
            model.steady_bias = model.steady_bias + fold.bias
        model.ways = self.first["ways"] * self.ways.exp()
        model.sharpness = self.first["sharpness"] + self.sharpness
        model.extent = self.first["extent"] + self.extent
        model.looseness = self.first["looseness"] + self.looseness
        model.peakedness = self.first["peakedness"] + self.peakedness

    def restraint(self) -> Tensor:
        """Return how large the changes are, ()."""
        return torch.stack([parameter.square().sum() for parameter in self.parameters()]).sum()

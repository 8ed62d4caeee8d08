"""A codebook that learns by moving averages (van den Oord, Vinyals & Kavukcuoglu 2017, appendix A.1)."""

from typing import Final, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, distributed, nn

from ghostnote.models.nets.precision import full_precision

_DECAY: Final = 0.99
_DEAD: Final = 0.03
"""A code that fewer vectors choose than this share of the even number is replaced."""
_TINY: Final = 1e-6


class Quantised(NamedTuple):
    """What vectors become."""

    vectors: Tensor
    """(batch, width, frames): the codes' vectors, with the gradient of what was quantised."""
    codes: Tensor
    """(batch, frames)."""
    commitment: Tensor
    """Mean squared distance () of what was quantised from its codes, with a gradient for the former."""


class VectorQuantiser(nn.Module):
    """Replaces each vector by the nearest of its codebook.

    It holds sums instead of means, as the mean of sums over processes is right and that of means is not.
    """

    usage: Tensor
    total: Tensor

    def __init__(self, codes: int, width: int) -> None:
        """Build a codebook of `codes` vectors of `width` numbers; its first training batch fills it."""
        super().__init__()
        self.register_buffer("usage", torch.zeros(codes))
        self.register_buffer("total", torch.zeros(codes, width))

    @property
    def codebook(self) -> Tensor:
        """The codes' vectors, (codes, width)."""
        return self.total / self.usage[:, None].clamp_min(_TINY)

    @property
    def perplexity(self) -> float:
        """How many codes, evenly used, would be as varied as the codes of late: exp of their entropy."""
        return perplexity(self.usage)

    def nearest(self, z: Tensor) -> Tensor:
        """Return the codes (batch, frames) nearest to vectors (batch, width, frames)."""
        codebook = self.codebook
        with full_precision(z.device):
            distance = codebook.square().sum(1) - 2 * z.float().transpose(1, 2) @ codebook.T
        return distance.argmin(-1)

    def vectors(self, codes: Tensor) -> Tensor:
        """Return the vectors (batch, width, frames) of codes (batch, frames)."""
        return self.codebook[codes].transpose(1, 2)

    def forward(self, z: Tensor, generator: torch.Generator) -> Quantised:
        """Quantise vectors (batch, width, frames); in training, learn from them.

        The gradient goes straight through: that of the codes' vectors is taken for that of `z`.
        """
        z = z.float()
        codes = self.nearest(z.detach())
        chosen = self.vectors(codes)
        if self.training:
            self.learn(z.detach().transpose(1, 2).flatten(0, 1), codes.flatten(), generator)
        return Quantised(z + (chosen - z).detach(), codes, F.mse_loss(z, chosen))

    def learn(self, vectors: Tensor, codes: Tensor, generator: torch.Generator) -> None:
        """Move the codebook towards `vectors` (any, width) that chose `codes` (any,), and replace dead codes."""
        count = torch.bincount(codes, minlength=len(self.usage)).to(vectors.dtype)
        self.usage.lerp_(count, 1 - _DECAY)
        self.total.lerp_(torch.zeros_like(self.total).index_add_(0, codes, vectors), 1 - _DECAY)
        self._restart(vectors, generator)

    def _restart(self, vectors: Tensor, generator: torch.Generator) -> None:
        """Let codes that hardly any vector chooses start again at random ones of `vectors` (any, width).

        Each process restarts codes of its own, as all their sums are averaged afterwards.
        """
        codes, even = len(self.usage), len(vectors) / len(self.usage)
        joined = distributed.is_initialized()
        rank, processes = (distributed.get_rank(), distributed.get_world_size()) if joined else (0, 1)
        device = self.usage.device
        dead = self.usage < _DEAD * even
        weight = even * processes * (torch.arange(codes, device=device) % processes == rank)
        drawn = torch.randint(len(vectors), (codes,), generator=generator, device=device)
        self.usage.copy_(torch.where(dead, weight, self.usage))
        self.total.copy_(torch.where(dead[:, None], weight[:, None] * vectors[drawn], self.total))


def perplexity(usage: Tensor) -> float:
    """Return exp of the entropy of codes that are used so often, (codes,)."""
    share = usage / usage.sum().clamp_min(_TINY)
    return float(torch.special.entr(share).sum().exp())

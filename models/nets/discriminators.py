"""Discriminators, trained to distinguish generated strokes from real ones by the features of the C2ST.

Those of an adversarial training (Goodfellow et al. 2014): a logistic regression and a small network; and the energy
distance (Székely & Rizzo 2013) of the features, which needs no training.
"""

from collections import deque
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_FURTHEST: Final = 5.0
"""Features are limited to so many standard deviations of the real ones'."""
_HIDDEN: Final = 64
_DROPOUT: Final = 0.4
_LEARNING_RATE: Final = 1e-3
_WEIGHT_DECAY: Final = 0.4
_STEPS: Final = 4
"""Discriminator steps for each step of the tuned model."""
_BATCH: Final = 96
_KEPT: Final = 60
"""Batches of strokes of both kinds that stay in the training set."""
_BLOCK: Final = 8
_TINY: Final = 1e-6


class Discriminators:
    """Discriminators and their training set; features are scaled by those of the real pairs given first."""

    def __init__(self, real: Tensor, generator: torch.Generator) -> None:
        """Take the features `real` (pairs, features) of real strokes as the scale."""
        self.mean, self.std = real.mean(0), real.std(0).clamp_min(1e-3)
        self.generator = generator
        features = real.shape[1]
        with torch.random.fork_rng():
            torch.manual_seed(generator.initial_seed())
            self.networks = nn.ModuleList([_network(features), nn.Linear(features, 1)]).to(real.device)
        self.optimiser = torch.optim.AdamW(self.networks.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
        self.real: deque[Tensor] = deque(maxlen=_KEPT)
        self.made: deque[Tensor] = deque(maxlen=_KEPT)

    def scaled(self, features: Tensor) -> Tensor:
        """Return features (pairs, features) in standard deviations of the real ones."""
        return ((features - self.mean) / self.std).clamp(-_FURTHEST, _FURTHEST)

    def learn(self, real: Tensor, made: Tensor) -> None:
        """Add scaled features of strokes of both kinds to the training set, and learn to distinguish them."""
        self.real.append(real)
        self.made.append(made.detach())
        self.networks.train()
        for _ in range(_STEPS):
            is_real, is_made = (self._draw(batches, _BATCH) for batches in (self.real, self.made))
            with torch.enable_grad():
                losses = [
                    F.softplus(network(is_made)).mean() + F.softplus(-network(is_real)).mean()
                    for network in self.networks
                ]
                self.optimiser.zero_grad(set_to_none=True)
                torch.stack(losses).sum().backward()
                self.optimiser.step()
        self.networks.eval()

    def verdicts(self, made: Tensor) -> Tensor:
        """Return the logits (networks, pairs) of strokes by their scaled features: positive for real."""
        return torch.stack([network(made)[:, 0] for network in self.networks])

    def distance(self, made: Tensor, real: Tensor) -> Tensor:
        """Return the energy distance () of strokes to real ones of the same drums, but for a constant.

        It is the sum of three: of all scaled features together, of blocks of neighbours, of each by itself.
        """
        count = len(made)
        whole = 2 * torch.cdist(made, real).mean() - torch.cdist(made, made).sum() / (count * (count - 1))
        total = whole / 4
        for width in (_BLOCK, 1):
            x, y = (_in_blocks(part, width) for part in (made, real))
            within = _gaps(x, x).sum((0, 1)).mean() / (count * (count - 1))
            total = total + 2 * _gaps(x, y).mean() - within
        distance: Tensor = total
        return distance

    def _draw(self, batches: deque[Tensor], count: int) -> Tensor:
        rows = torch.cat(list(batches))
        return rows[torch.randint(len(rows), (count,), generator=self.generator, device=rows.device)]


def _in_blocks(features: Tensor, width: int) -> Tensor:
    """Return (pairs, blocks, width) of features (pairs, features), less those that fill no block."""
    blocks = features.shape[1] // width
    parts: Tensor = features[:, : blocks * width].unflatten(1, (blocks, width))
    return parts


def _gaps(x: Tensor, y: Tensor) -> Tensor:
    """Return the distances (pairs of x, pairs of y, blocks) of blocks."""
    gaps: Tensor = ((x[:, None] - y[None]).square().sum(-1) + _TINY).sqrt()
    return gaps


def _network(features: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, _HIDDEN), nn.LeakyReLU(0.1), nn.Dropout(_DROPOUT), nn.Linear(_HIDDEN, 1))

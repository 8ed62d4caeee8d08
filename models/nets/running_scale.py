"""The mean and deviation of each channel of what a network is trained on, learned on the way."""

from typing import Final

import torch
from torch import Tensor, nn

_DECAY: Final = 0.999
_LEAST: Final = 1e-3


class RunningScale(nn.Module):
    """Brings channels to mean 0 and deviation 1, as diffusion expects.

    It holds moments, whose mean over processes is right.
    """

    count: Tensor
    mean: Tensor
    square: Tensor

    def __init__(self, channels: int) -> None:
        """Start at mean 0 and deviation 1."""
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(channels, 1))
        self.register_buffer("square", torch.ones(channels, 1))

    @property
    def deviation(self) -> Tensor:
        """The standard deviation of each channel, (channels, 1)."""
        return (self.square - self.mean.square()).clamp_min(_LEAST**2).sqrt()

    @torch.no_grad()
    def learn(self, x: Tensor) -> None:
        """Take `x` (batch, channels, frames) into account: as one of all batches, later as one of the last 1,000."""
        self.count += 1
        weight = (1 / self.count).clamp_min(1 - _DECAY)
        self.mean.lerp_(x.mean((0, 2))[:, None].to(self.mean.dtype), weight)
        self.square.lerp_(x.square().mean((0, 2))[:, None].to(self.square.dtype), weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (batch, channels, frames) scaled."""
        return (x - self.mean) / self.deviation

    def restore(self, scaled: Tensor) -> Tensor:
        """Undo `forward`."""
        return scaled * self.deviation + self.mean

"""The mean and deviation of each channel of what a network is trained on, learned on the way."""

from typing import Final

import torch
from torch import Tensor, nn

_DECAY: Final = 0.999
_LEAST: Final = 1e-3
_LEAST_SHARE: Final = 0.05
"""What is silent in nearly all examples would be made so loud that a single one is all that counts."""


class RunningScale(nn.Module):
    """Brings channels to mean 0 and deviation 1, as diffusion expects.

    It holds moments, whose mean over processes is right.
    """

    count: Tensor
    mean: Tensor
    square: Tensor

    def __init__(self, channels: int, spans: int = 1, span_frames: int = 1) -> None:
        """Start at mean 0 and deviation 1, in each of so many `spans` of so many frames; one span is all frames."""
        super().__init__()
        self.spans, self.span_frames = spans, span_frames
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(channels, spans))
        self.register_buffer("square", torch.ones(channels, spans))

    @property
    def deviation(self) -> Tensor:
        """The standard deviation of each channel and span, (channels, spans), at least a share of the largest."""
        deviation = (self.square - self.mean.square()).clamp_min(_LEAST**2).sqrt()
        return deviation.maximum(_LEAST_SHARE * deviation.amax(1, keepdim=True))

    @torch.no_grad()
    def learn(self, x: Tensor) -> None:
        """Take `x` (batch, channels, frames) into account: as one of all batches, later as one of the last 1,000."""
        self.count += 1
        weight = (1 / self.count).clamp_min(1 - _DECAY)
        spans = x.unflatten(2, (self.spans, -1))
        self.mean.lerp_(spans.mean((0, 3)).to(self.mean.dtype), weight)
        self.square.lerp_(spans.square().mean((0, 3)).to(self.square.dtype), weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (batch, channels, frames) scaled; it may be of any length."""
        return (x - self._each_frame(self.mean, x)) / self._each_frame(self.deviation, x)

    def restore(self, scaled: Tensor) -> Tensor:
        """Undo `forward`."""
        return scaled * self._each_frame(self.deviation, scaled) + self._each_frame(self.mean, scaled)

    def _each_frame(self, statistic: Tensor, x: Tensor) -> Tensor:
        """Return what is known of spans (channels, spans) for each frame of `x`; frames beyond all are of the last."""
        at = torch.arange(x.shape[2], device=x.device) // self.span_frames
        return statistic[:, at.clamp_max(self.spans - 1)]

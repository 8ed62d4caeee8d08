"""An encoder and a decoder of waveforms, by strided convolutions and Snake activations.

After the networks of audio codecs (Zeghidour et al. 2021; Kumar et al. 2023), without their critics.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

STRIDE: Final = 4
"""By which each level has fewer frames than the one above."""
_DILATIONS: Final = (1, 3)
_LEAST: Final = 1e-9


@dataclass(frozen=True)
class WaveAutoencoderSettings:
    """The shape of both networks."""

    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of each level; the first has a quarter of the waveform's frames."""
    latent: int = 16
    """Channels of the latent."""
    kernel: int = 5
    """Frames that a convolution of a residual unit sees."""


class Snake(nn.Module):
    """x + sin²(αx)/α with a learned α for each channel: periodic, as tones are (Ziyin, Hartwig & Ueda 2020)."""

    def __init__(self, channels: int) -> None:
        """Start at α = 1."""
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, frames) to the same shape."""
        # sin²(a) is (1 − cos(2a))/2, which takes fewer passes over the frames.
        half = 0.5 / (self.alpha + _LEAST)
        return torch.addcmul(x + half, half, (2 * self.alpha * x).cos(), value=-1)


class ResidualUnit(nn.Module):
    """A dilated convolution and one over channels alone, added to what comes in."""

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        """Build a unit of `channels` channels."""
        super().__init__()
        reach = dilation * (kernel // 2)
        self.layers = nn.Sequential(
            Snake(channels),
            nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=reach),
            Snake(channels),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, frames) to the same shape."""
        out: Tensor = x + self.layers(x)
        return out


def _level(channels: int, kernel: int) -> list[nn.Module]:
    return [*(ResidualUnit(channels, kernel, dilation) for dilation in _DILATIONS), Snake(channels)]


def make_encoder(settings: WaveAutoencoderSettings, outputs: int) -> nn.Sequential:
    """Return a network from waveforms (batch, 1, frames) to (batch, outputs, frames / stride)."""
    widths = settings.widths
    layers: list[nn.Module] = [nn.Conv1d(1, widths[0], 2 * STRIDE, STRIDE, padding=STRIDE // 2)]
    for fine, coarse in pairwise(widths):
        layers += _level(fine, settings.kernel)
        layers.append(nn.Conv1d(fine, coarse, 2 * STRIDE, STRIDE, padding=STRIDE // 2))
    return nn.Sequential(*layers, *_level(widths[-1], settings.kernel), nn.Conv1d(widths[-1], outputs, 3, padding=1))


def make_decoder(settings: WaveAutoencoderSettings) -> nn.Sequential:
    """Return a network from latents (batch, latent, frames) to waveforms (batch, 1, frames x stride)."""
    widths = settings.widths[::-1]
    layers: list[nn.Module] = [nn.Conv1d(settings.latent, widths[0], 3, padding=1)]
    for coarse, fine in pairwise([*widths, 1]):
        kernel = 2 * STRIDE if fine > 1 else 4 * STRIDE
        layers += _level(coarse, settings.kernel)
        layers.append(nn.ConvTranspose1d(coarse, fine, kernel, STRIDE, padding=(kernel - STRIDE) // 2))
    return nn.Sequential(*layers)


def stride_of(settings: WaveAutoencoderSettings) -> int:
    """Return the frames of a waveform that one of the latent stands for."""
    return int(STRIDE ** len(settings.widths))

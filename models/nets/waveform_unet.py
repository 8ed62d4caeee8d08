"""The attention U-Net on the raw waveform, and three ways to bring a waveform down to frames.

After tiny-audio-diffusion and audio-diffusion-pytorch (Schneider 2023): a U-Net whose levels have half the frames of
the one before, with self-attention at depth. The levels themselves can do all the work ("stack"), or the waveform is
first cut into frames: "patch" makes the samples of a frame its channels, and "transform" is a learned filter bank.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import InputError
from ghostnote.models.nets.unet import UNet, UNetSettings

WIDTHS: Final[Mapping[str, tuple[int, ...]]] = {
    "stack": (16, 16, 16, 32, 32, 64, 64, 128),
    "patch": (96, 128, 160, 192),
    "transform": (96, 128, 160, 192),
}
"""Channels of each level under each front end, for about as many products each."""


@dataclass(frozen=True)
class WaveformUNetSettings:
    """The shape of a U-Net on waveforms."""

    channels: int = 1
    """Of the audio: 1 is mono, 2 stereo."""
    front: str = "stack"
    """What comes before the U-Net: "stack" (nothing), "patch" or "transform"."""
    stride: int = 32
    """Samples that a patch or the transform turns into one frame."""
    widths: tuple[int, ...] = ()
    """Channels of each level; those of `WIDTHS` where there are none."""
    blocks: int = 1
    """Residual blocks a level, on the way down and again on the way up."""
    attention_levels: int = 2
    """How many of the coarsest levels have self-attention."""


class LearnedTransform(nn.Module):
    """A learned filter bank and its counterpart: kernels two strides long, as many filters as the stride.

    As critically sampled as the MDCT, but nothing makes its filters cancel each other's aliases.
    """

    def __init__(self, channels: int, stride: int) -> None:
        """Build `stride` filters for each of `channels` audio channels."""
        super().__init__()
        rows = channels * stride
        self.analysis = nn.Conv1d(channels, rows, 2 * stride, stride, padding=stride // 2, bias=False)
        self.synthesis = nn.ConvTranspose1d(rows, channels, 2 * stride, stride, padding=stride // 2, bias=False)
        # White noise comes to rows of unit variance, and back.
        nn.init.normal_(self.analysis.weight, std=(2 * stride * channels) ** -0.5)
        nn.init.normal_(self.synthesis.weight, std=(2 * rows) ** -0.5)


class WaveformUNet(nn.Module):
    """Predicts v or ε of noisy waveforms of a class."""

    def __init__(self, settings: WaveformUNetSettings) -> None:
        """Build the network that `settings` describe; `InputError` for a front end that there is not."""
        super().__init__()
        if settings.front not in WIDTHS:
            raise InputError(f"{settings.front!r} is not a front end: take one of {', '.join(WIDTHS)}")
        channels, stride = settings.channels, settings.stride
        self.transform = LearnedTransform(channels, stride) if settings.front == "transform" else None
        self.unet = UNet(
            UNetSettings(
                bands=channels * stride if self.transform else channels,
                conditioning=0,
                channels=settings.widths or WIDTHS[settings.front],
                classes=len(CLASS_NAMES),
                blocks=settings.blocks,
                attention_levels=settings.attention_levels,
                patch=stride if settings.front == "patch" else 1,
            )
        )

    def forward(self, z: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """Map noisy waveforms (batch, channels, frames) at times `t` (batch,) of classes (batch,) to the same shape."""
        embedded = self.unet.embed(label, torch.zeros_like(t))
        if self.transform is None:
            predicted: Tensor = self.unet(z, t, embedded)
        else:
            predicted = self.transform.synthesis(self.unet(self.transform.analysis(z), t, embedded))
        return predicted

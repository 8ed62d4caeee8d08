"""The network of tiny-audio-diffusion, rebuilt from its published configuration to compare its speed with ours.

Its sizes are those of `exp/drum_diffusion.yaml` (github.com/crlandsc/tiny-audio-diffusion), its structure that of the
`UNetV0` of audio-diffusion-pytorch. Its weights are random, as only its speed is measured.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class PeerSettings:
    """The sizes of the network, level by level from the waveform down."""

    audio_channels: int = 2
    frames: int = 32_768
    channels: tuple[int, ...] = (32, 32, 64, 64, 128, 128, 256, 256)
    factors: tuple[int, ...] = (1, 2, 2, 2, 2, 2, 2, 2)
    items: tuple[int, ...] = (2, 2, 2, 2, 2, 2, 4, 4)
    attention: tuple[bool, ...] = (False, False, False, False, False, True, True, True)
    heads: int = 8
    head_channels: int = 64
    groups: int = 8
    features: int = 1024
    """Width of the embedding of time."""
    waves: int = 128
    """Learned frequencies in the embedding of time."""


class _Residual(nn.Module):
    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(groups, channels) for _ in range(2))
        self.convolutions = nn.ModuleList(nn.Conv1d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        h = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            h = convolution(F.silu(norm(h)))
        return x + h


class _Modulation(nn.Module):
    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 2 * channels)
        self.norm = nn.LayerNorm(channels, elementwise_affine=False, eps=1e-6)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        scale, shift = self.linear(F.silu(features))[:, None].chunk(2, dim=-1)
        modulated: Tensor = self.norm(x.transpose(1, 2)) * (1 + scale) + shift
        return modulated.transpose(1, 2)


class _Attention(nn.Module):
    def __init__(self, channels: int, heads: int, head_channels: int) -> None:
        super().__init__()
        self.heads, inner = heads, heads * head_channels
        self.norm, self.norm_context = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.query = nn.Linear(channels, inner, bias=False)
        self.context = nn.Linear(channels, 2 * inner, bias=False)
        self.out = nn.Linear(inner, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.transpose(1, 2)
        key, value = self.context(self.norm_context(rows)).chunk(2, dim=-1)
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.query(self.norm(rows)), key, value)
        )
        attended: Tensor = self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + attended.transpose(1, 2)


class _Item(nn.Module):
    def __init__(self, settings: PeerSettings, level: int) -> None:
        super().__init__()
        s, channels = settings, settings.channels[level]
        self.residual = _Residual(channels, s.groups)
        self.modulation = _Modulation(channels, s.features)
        self.attention = _Attention(channels, s.heads, s.head_channels) if s.attention[level] else nn.Identity()

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        attended: Tensor = self.attention(self.modulation(self.residual(x), features))
        return attended


class _Level(nn.Module):
    """One level and all below it, with a skip connection past them."""

    def __init__(self, settings: PeerSettings, level: int) -> None:
        super().__init__()
        s, channels, factor = settings, settings.channels[level], settings.factors[level]
        above = s.channels[level - 1] if level else s.audio_channels
        self.factor = factor
        self.shrink = nn.Conv1d(above, channels, factor, factor)
        self.down = nn.ModuleList(_Item(s, level) for _ in range(s.items[level]))
        self.inner = _Level(s, level + 1) if level + 1 < len(s.channels) else None
        self.up = nn.ModuleList(_Item(s, level) for _ in range(s.items[level]))
        self.grow = nn.Conv1d(channels, above, 3, padding=1)
        self.gate = nn.Linear(s.features, above)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        h = self.shrink(x)
        for item in self.down:
            h = item(h, features)
        if self.inner is not None:
            h = self.inner(h, features)
        for item in self.up:
            h = item(h, features)
        h = self.grow(F.interpolate(h, scale_factor=float(self.factor), mode="nearest"))
        out: Tensor = x + self.gate(F.silu(features))[:, :, None] * h
        return out


class Peer(nn.Module):
    """Predicts v from a noisy waveform and the time."""

    def __init__(self, settings: PeerSettings) -> None:
        """Build the network that `settings` describe."""
        super().__init__()
        self.waves = nn.Parameter(torch.randn(settings.waves))
        width = settings.features
        self.embedding = nn.Linear(2 * settings.waves + 1, width)
        self.time = nn.Linear(width, width)
        self.levels = _Level(settings, 0)

    def forward(self, z: Tensor, t: Tensor) -> Tensor:
        """Return v (batch, audio channels, frames) of `z` at times `t` (batch,)."""
        angles = 2 * math.pi * t[:, None] * self.waves
        features = F.gelu(self.embedding(torch.cat([t[:, None], angles.sin(), angles.cos()], dim=1)))
        # As published, the same layer twice.
        features = F.gelu(self.time(F.gelu(self.time(features))))
        v: Tensor = self.levels(z, features)
        return v

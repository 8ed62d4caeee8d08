"""The U-Net over the 512 frames of a hit (or the 128 of an envelope), conditioned on time, class and velocity."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class UNetSettings:
    """The shape of a U-Net."""

    bands: int
    """Channels of the sample that is denoised."""
    conditioning: int
    """Channels of the conditioning given per frame."""
    channels: tuple[int, ...]
    """Channels of each level; each level has half the frames of the one before."""
    classes: int
    """Drum classes; one more label stands for any class."""
    blocks: int = 2
    """Residual blocks a level, on the way down and again on the way up."""
    attention_levels: int = 2
    """How many of the coarsest levels have self-attention."""
    inpainting: bool = False
    """Whether it takes a mask and what is given under it, so that it can continue a part of a sample."""
    embedding: int = 192
    """Width of the embedding of time, class and velocity."""
    patch: int = 1
    """Frames that become channels of one: the network then works on as many fewer."""


class ResidualBlock(nn.Module):
    """Two convolutions with group norms, modulated by the embedding (FiLM, Perez et al. 2018)."""

    def __init__(self, channels: int, embedding: int) -> None:
        """Build a block of `channels` channels."""
        super().__init__()
        self.norm_in = nn.GroupNorm(8, channels)
        self.conv_in = nn.Conv1d(channels, channels, 3, padding=1)
        self.film = nn.Linear(embedding, 2 * channels)
        self.norm_out = nn.GroupNorm(8, channels, affine=False)
        self.conv_out = nn.Conv1d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Map `x` (batch, channels, frames) under `embedding` (batch, width) to the same shape."""
        h = self.conv_in(F.silu(self.norm_in(x)))
        scale, shift = self.film(embedding)[:, :, None].chunk(2, dim=1)
        h = self.conv_out(F.silu(self.norm_out(h) * (1 + scale) + shift))
        out: Tensor = x + h
        return out


class SelfAttention(nn.Module):
    """Self-attention over the frames (Vaswani et al. 2017)."""

    def __init__(self, channels: int, head: int = 64) -> None:
        """Build attention with heads of `head` channels."""
        super().__init__()
        self.heads = channels // head
        self.norm = nn.GroupNorm(8, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.out = nn.Conv1d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, frames) to the same shape."""
        q, k, v = self.qkv(self.norm(x)).unflatten(1, (3, self.heads, -1)).transpose(3, 4).unbind(1)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(2, 3).flatten(1, 2)
        out: Tensor = x + self.out(attended)
        return out


class Level(nn.Module):
    """Residual blocks of one resolution, with attention after each where asked for."""

    def __init__(self, channels: int, blocks: int, embedding: int, attention: bool) -> None:
        """Build `blocks` blocks of `channels` channels."""
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(channels, embedding) for _ in range(blocks))
        self.attention = nn.ModuleList(SelfAttention(channels) if attention else nn.Identity() for _ in range(blocks))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Map (batch, channels, frames) under `embedding` to the same shape."""
        for block, attention in zip(self.blocks, self.attention, strict=True):
            x = attention(block(x, embedding))
        return x


class UNet(nn.Module):
    """Predicts v from a noisy sample; `conditioning` holds what does not change from step to step."""

    frequencies: Tensor

    def __init__(self, settings: UNetSettings) -> None:
        """Build the network that `settings` describe."""
        super().__init__()
        self.settings = settings
        c, e, n = settings.channels, settings.embedding, settings.blocks
        attend = [i >= len(c) - settings.attention_levels for i in range(len(c))]
        self.register_buffer("frequencies", torch.exp(torch.linspace(0, math.log(256), 32)) * math.pi)
        self.time = nn.Sequential(nn.Linear(64, e), nn.SiLU(), nn.Linear(e, e))
        self.label = nn.Embedding(settings.classes + 1, e)
        self.velocity = nn.Linear(1, e)
        bands, conditioning = settings.bands * settings.patch, settings.conditioning * settings.patch
        self.stem = nn.Conv1d(bands, c[0], 3, padding=1)
        self.conditioning = nn.Conv1d(conditioning, c[0], 3, padding=1) if conditioning else None
        self.given = nn.Conv1d(2 * bands, c[0], 3, padding=1, bias=False) if settings.inpainting else None
        if self.given is not None:
            nn.init.zeros_(self.given.weight)
        self.down = nn.ModuleList(Level(width, n, e, attend[i]) for i, width in enumerate(c))
        self.up = nn.ModuleList(Level(width, n, e, attend[i]) for i, width in enumerate(c))
        neighbours = list(pairwise(c))
        self.shrink = nn.ModuleList(nn.Conv1d(fine, coarse, 2, 2) for fine, coarse in neighbours)
        self.grow = nn.ModuleList(nn.Conv1d(coarse, fine, 1) for fine, coarse in neighbours)
        self.norm = nn.GroupNorm(8, c[0])
        self.out = nn.Conv1d(c[0], bands, 3, padding=1)
        nn.init.zeros_(self.out.weight)

    def embed(self, label: Tensor, velocity: Tensor) -> Tensor:
        """Return the embedding (batch, width) of class labels (batch,) and velocity differences (batch,)."""
        embedded: Tensor = self.label(label) + self.velocity(velocity[:, None])
        return embedded

    def project_conditioning(self, conditioning: Tensor) -> Tensor:
        """Return the conditioning (batch, rows, frames) as the first level's channels."""
        if self.conditioning is None:
            raise ValueError("this network takes no conditioning")
        projected: Tensor = self.conditioning(self._folded(conditioning))
        return projected

    def project_given(self, given: Tensor, mask: Tensor) -> Tensor:
        """Return what is known of a sample, `given` (batch, bands, frames) where `mask` is 1, as channels too.

        It is added to the projected conditioning. Where nothing is known it is 0.
        """
        if self.given is None:
            raise ValueError("this network takes no mask")
        projected: Tensor = self.given(self._folded(torch.cat([given * mask, mask], dim=1)))
        return projected

    def forward(self, z: Tensor, t: Tensor, embedded: Tensor, conditioning: Tensor | None = None) -> Tensor:
        """Return v (batch, bands, frames) of `z` at times `t` (batch,), given `embed` and `project_conditioning`."""
        angles = t[:, None] * self.frequencies
        embedding = F.silu(self.time(torch.cat([angles.cos(), angles.sin()], dim=1)) + embedded)
        x = self.stem(self._folded(z))
        x = x if conditioning is None else x + conditioning
        skips = []
        for i, level in enumerate(self.down):
            x = level(x if i == 0 else self.shrink[i - 1](x), embedding)
            skips.append(x)
        x = self.up[-1](x, embedding)
        for level, grow, skip in zip(self.up[-2::-1], self.grow[::-1], skips[-2::-1], strict=True):
            x = level(skip + F.interpolate(grow(x), scale_factor=2.0, mode="nearest"), embedding)
        return self._unfolded(self.out(F.silu(self.norm(x))))

    def _folded(self, x: Tensor) -> Tensor:
        """Return (batch, channels, frames) as (batch, channels x patch, frames / patch)."""
        patch = self.settings.patch
        return x if patch == 1 else x.unflatten(2, (-1, patch)).transpose(2, 3).flatten(1, 2)

    def _unfolded(self, x: Tensor) -> Tensor:
        """Undo `_folded`."""
        patch = self.settings.patch
        return x if patch == 1 else x.unflatten(1, (-1, patch)).transpose(2, 3).flatten(2, 3)

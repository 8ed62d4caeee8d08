"""The diffusion transformer over patches, with four ways to condition it (DiT, Peebles & Xie 2023).

What is given, the time and the class, enters by
    "adaln"     shift, scale and gate of every branch, all zero at the start (AdaLN-Zero)
    "cross"     attention to the two as a sequence of their own, in every block
    "tokens"    two more tokens in the sequence, removed at the end
    "channels"  two more vectors beside the channels of every patch
In each way all branches are zero at the start, so that every block is the identity.

A patch has more numbers than the network is wide, so that noise cannot pass through it, and most of v is noise. So what
comes out of the network is a part of v of its own and a gain for each number of the noisy patch: the gain of a Wiener
filter, once the network has heard how loud a drum is where.
"""

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.bridge.errors import InputError
from ghostnote.models.nets.attention import Attention, make_mlp, sinusoids

CONDITIONS: Final = ("adaln", "cross", "tokens", "channels")
_TIME_UNIT: Final = 1000.0
"""Times 0..1 are embedded as DDPM's 0..1000."""


@dataclass(frozen=True)
class DiffusionTransformerSettings:
    """The shape of the transformer."""

    width: int = 192
    depth: int = 6
    """Blocks."""
    condition: str = "adaln"
    """One of `CONDITIONS`."""


class AdaptiveBlock(nn.Module):
    """Attention and a small network whose norms are modulated and whose outputs are gated by what is given."""

    def __init__(self, width: int) -> None:
        """Build a block that is the identity at the start."""
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.attention, self.mlp = Attention(width), make_mlp(width)
        self.modulation = zeroed(nn.Linear(width, 6 * width))

    def forward(self, x: Tensor, given: Tensor, mask: Tensor | None) -> Tensor:
        """Map `x` (batch, length, width), given vectors (batch, 2, width), to the same shape."""
        parts = self.modulation(F.silu(given.sum(1)))[:, None].chunk(6, dim=-1)
        shift, scale, gate = parts[:3]
        x = x + gate * self.attention(self.norm(x) * (1 + scale) + shift, mask=mask)
        shift, scale, gate = parts[3:]
        out: Tensor = x + gate * self.mlp(self.norm(x) * (1 + scale) + shift)
        return out


class PlainBlock(nn.Module):
    """Attention, to what is given too where `cross` says so, and a small network (pre-norm)."""

    def __init__(self, width: int, cross: bool) -> None:
        """Build a block that is the identity at the start."""
        super().__init__()
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.mlp = Attention(width), make_mlp(width)
        self.norm_cross = nn.LayerNorm(width) if cross else None
        self.cross = Attention(width) if cross else None
        zeroed(self.attention.out)
        zeroed(self.mlp[-1])
        if self.cross is not None:
            zeroed(self.cross.out)

    def forward(self, x: Tensor, given: Tensor, mask: Tensor | None) -> Tensor:
        """Map `x` (batch, length, width), given vectors (batch, 2, width), to the same shape."""
        x = x + self.attention(self.norm_in(x), mask=mask)
        if self.cross is not None and self.norm_cross is not None:
            x = x + self.cross(self.norm_cross(x), given)
        out: Tensor = x + self.mlp(self.norm_out(x))
        return out


class DiffusionTransformer(nn.Module):
    """Predicts v of patches, of which there may be any number; attention is bidirectional."""

    def __init__(self, features: int, classes: int, settings: DiffusionTransformerSettings) -> None:
        """Build it for patches of `features` numbers and `classes` classes; `InputError` for an unknown condition."""
        super().__init__()
        if settings.condition not in CONDITIONS:
            raise InputError(
                f"{settings.condition!r} is not a way to condition the transformer: take one of {', '.join(CONDITIONS)}"
            )
        width, self.condition = settings.width, settings.condition
        adaptive = self.condition == "adaln"
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.label = nn.Embedding(classes, width)
        nn.init.normal_(self.label.weight, std=0.02)
        self.patch = nn.Linear(features + (2 * width if self.condition == "channels" else 0), width)
        self.blocks = nn.ModuleList(
            AdaptiveBlock(width) if adaptive else PlainBlock(width, self.condition == "cross")
            for _ in range(settings.depth)
        )
        self.norm = nn.LayerNorm(width, elementwise_affine=not adaptive)
        self.modulation = zeroed(nn.Linear(width, 2 * width)) if adaptive else None
        self.out = zeroed(nn.Linear(width, 2 * features))

    def forward(
        self, z: Tensor, t: Tensor, label: Tensor, position: Tensor | None = None, lengths: Tensor | None = None
    ) -> Tensor:
        """Map patches `z` (batch, patches, features) at times `t` (batch,) of classes `label` (batch,) to v.

        `position` (batch, patches) is where each patch stands, by default in order. `lengths` (batch,) are how many
        patches count of each example: the others are neither seen nor of any meaning in what is returned.
        """
        given = torch.stack([self.time(sinusoids(_TIME_UNIT * t, self.label.embedding_dim)), self.label(label)], 1)
        x = self._enter(z, given, position)
        mask = None if lengths is None else self._mask(x.shape[1], lengths)
        for block in self.blocks:
            x = block(x, given, mask)
        x = self.norm(x[:, -z.shape[1] :])
        if self.modulation is not None:
            shift, scale = self.modulation(F.silu(given.sum(1)))[:, None].chunk(2, dim=-1)
            x = x * (1 + scale) + shift
        own, gain = self.out(x).chunk(2, dim=-1)
        v: Tensor = own + gain * z
        return v

    def _enter(self, z: Tensor, given: Tensor, position: Tensor | None) -> Tensor:
        """Return the sequence (batch, length, width) that the blocks see; added tokens come first."""
        if position is None:
            position = torch.arange(z.shape[1], device=z.device).expand(z.shape[:2])
        if self.condition == "channels":
            z = torch.cat([z, given.flatten(1)[:, None].expand(-1, z.shape[1], -1)], dim=-1)
        x = self.patch(z) + sinusoids(position, self.label.embedding_dim)
        return torch.cat([given, x], dim=1) if self.condition == "tokens" else x

    def _mask(self, length: int, lengths: Tensor) -> Tensor:
        """Return which of a sequence's places are seen, (batch, 1, 1, length)."""
        added = 2 if self.condition == "tokens" else 0
        seen = torch.arange(length, device=lengths.device) < lengths[:, None] + added
        return seen[:, None, None]


def zeroed(layer: nn.Module) -> nn.Module:
    """Return a linear layer with zeros for its weights."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer

"""Attention between sequences, the part that all transformers here share."""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_HEAD: Final = 32
_LONGEST_PERIOD: Final = 10_000.0


class Attention(nn.Module):
    """Multi-head attention of a sequence to itself or to another (Vaswani et al. 2017)."""

    def __init__(self, width: int) -> None:
        """Build attention over vectors of `width` numbers, with heads of 32."""
        super().__init__()
        self.heads = max(1, width // _HEAD)
        if width % self.heads:
            raise ValueError(f"a width of {width} is no multiple of {self.heads} heads")
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def keys_values(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values (batch, heads, length, head) of a sequence (batch, length, width)."""
        keys, values = self.key_value(context).chunk(2, dim=-1)
        return self._split(keys), self._split(values)

    def attend(
        self, x: Tensor, keys: Tensor, values: Tensor, *, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Return for `x` (batch, length, width) what it finds in the values, where `mask` (…, length, keys) is true."""
        query = self._split(self.query(x))
        found = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, is_causal=causal)
        out: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return out

    def forward(self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Return what `x` (batch, length, width) finds in `context` (batch, any, width), by default in itself."""
        return self.attend(x, *self.keys_values(x if context is None else context), mask=mask)

    def _split(self, x: Tensor) -> Tensor:
        heads: Tensor = x.unflatten(-1, (self.heads, -1))
        return heads.transpose(1, 2)


def make_mlp(width: int) -> nn.Sequential:
    """Return the network between attentions: one hidden layer of four times the width."""
    return nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))


def sinusoids(position: Tensor, width: int) -> Tensor:
    """Return positions or times (…,) as sines and cosines (…, width), with periods from 2π to 20,000π."""
    slowest = math.log(_LONGEST_PERIOD)
    frequency = torch.exp(-torch.linspace(0, slowest, width // 2, device=position.device))
    angle = position[..., None] * frequency
    return torch.cat([angle.cos(), angle.sin()], dim=-1)

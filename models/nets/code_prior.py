"""A causal transformer over the codes of hits: the prior from which new codes are drawn."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ghostnote.models.nets.attention import Attention, make_mlp

Past = tuple[Tensor, Tensor]
"""Keys and values (batch, heads, length, head) of what came before."""


class CausalBlock(nn.Module):
    """Attention to what came before and a small network, both added to what comes in (pre-norm)."""

    def __init__(self, width: int) -> None:
        """Build a block over vectors of `width` numbers."""
        super().__init__()
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.mlp = Attention(width), make_mlp(width)

    def forward(self, x: Tensor, past: Past | None = None) -> tuple[Tensor, Past]:
        """Map (batch, length, width) to the same shape; after a `past`, the length is 1. Return the new past too."""
        h = self.norm_in(x)
        keys, values = self.attention.keys_values(h)
        if past is not None:
            keys, values = torch.cat([past[0], keys], 2), torch.cat([past[1], values], 2)
        x = x + self.attention.attend(h, keys, values, causal=past is None)
        return x + self.mlp(self.norm_out(x)), (keys, values)


class CodePrior(nn.Module):
    """Predicts each code from those before it and the class."""

    def __init__(self, codes: int, length: int, classes: int, width: int, depth: int) -> None:
        """Build a prior over sequences of `length` out of `codes` codes."""
        super().__init__()
        self.code = nn.Embedding(codes, width)
        self.label = nn.Embedding(classes, width)
        self.position = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(CausalBlock(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, codes)
        for embedding in (self.code, self.label):
            nn.init.normal_(embedding.weight, std=0.02)

    def forward(self, codes: Tensor, label: Tensor) -> Tensor:
        """Return the logits (batch, length, codes) of each of `codes` (batch, length) of classes `label` (batch,)."""
        before = F.pad(self.code(codes[:, :-1]), (0, 0, 1, 0))
        x = before + self.position[: codes.shape[1]] + self.label(label)[:, None]
        for block in self.blocks:
            x, _ = block(x)
        logits: Tensor = self.out(self.norm(x))
        return logits

    def step(
        self, code: Tensor | None, at: int, label: Tensor, past: list[Past | None]
    ) -> tuple[Tensor, list[Past | None]]:
        """Return the logits (batch, codes) of the code at place `at`, after `code` (batch,), and the new past."""
        before = 0 if code is None else self.code(code)
        x = (before + self.position[at] + self.label(label))[:, None]
        pasts: list[Past | None] = []
        for block, each in zip(self.blocks, past, strict=True):
            x, new = block(x, each)
            pasts.append(new)
        return self.out(self.norm(x))[:, 0], pasts

    def sample(self, label: Tensor, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """Return new codes (batch, length) of the classes `label` (batch,), each drawn after those before it.

        Keys and values of what came before are kept, so that a code costs one step and not a whole sequence.
        """
        codes: list[Tensor] = []
        past: list[Past | None] = [None] * len(self.blocks)
        for at in range(len(self.position)):
            logits, past = self.step(codes[-1] if codes else None, at, label, past)
            chance = (logits / temperature).softmax(-1)
            codes.append(torch.multinomial(chance, 1, generator=generator)[:, 0])
        return torch.stack(codes, dim=1)

"""The network that hears which drums a loop strikes, as `ghostnote.bridge.classify.mixture` computes it in NumPy."""

import math
from typing import Final

import torch
from torch import Tensor, nn

from ghostnote.bridge.classify.mixture import BANDS, BLOCKS, CHANNELS, DISTANCES, FRAMES, HEADS, KERNELS, STRIDE
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.models.nets.attention import Attention, make_mlp

_WIDTH: Final = 32 * HEADS
_DISTANCES_HIDDEN: Final = 32
_DROPOUT: Final = 0.2
_FAR: Final = -1e4


class LoopTransformer(nn.Module):
    """A transformer encoder over the strokes of a loop, with relative positions (Shaw et al. 2018)."""

    def __init__(self) -> None:
        """Start with random weights."""
        super().__init__()
        sizes = zip((1, *CHANNELS), CHANNELS, KERNELS, strict=False)
        self.convolutions = nn.ModuleList(nn.Conv2d(*each, STRIDE, padding=each[-1] // 2) for each in sizes)
        cells = math.ceil(FRAMES / STRIDE ** len(CHANNELS)) * math.ceil(BANDS / STRIDE ** len(CHANNELS))
        self.dropout, self.spectrum = nn.Dropout(_DROPOUT), nn.Linear(CHANNELS[-1] * cells, _WIDTH)
        self.gaps = nn.Linear(2, _WIDTH)
        self.distances = nn.Sequential(
            nn.Linear(DISTANCES, _DISTANCES_HIDDEN), nn.ReLU(), nn.Linear(_DISTANCES_HIDDEN, HEADS * BLOCKS)
        )
        self.blocks = nn.ModuleList(_Block() for _ in range(BLOCKS))
        self.last = nn.LayerNorm(_WIDTH)
        self.head = nn.Linear(_WIDTH, len(CLASS_NAMES))

    def forward(self, patches: Tensor, gaps: Tensor, distances: Tensor, present: Tensor) -> Tensor:
        """Return the log odds of each class that it is struck, (loops, strokes, classes).

        `patches` (loops, strokes, FRAMES, BANDS), `gaps` (loops, strokes, 2) and `distances` (loops, strokes, strokes,
        DISTANCES) are what the functions of `mixture` return; where `present` (loops, strokes) is false is no stroke.
        """
        # What is no stroke is not computed: loops differ in length.
        spectra = patches.new_zeros(*present.shape, _WIDTH)
        spectra[present] = self._seen(patches[present])
        x = spectra + self.gaps(gaps)
        absent = torch.where(present, 0.0, _FAR)[:, None, None]
        bias = self.distances(distances).permute(0, 3, 1, 2) + absent
        for block, near in zip(self.blocks, bias.chunk(BLOCKS, dim=1), strict=True):
            x = block(x, near)
        odds: Tensor = self.head(self.last(x))
        return odds

    def _seen(self, patches: Tensor) -> Tensor:
        """Return what strokes (strokes, FRAMES, BANDS) look like, (strokes, width)."""
        x = patches[:, None]
        for convolution in self.convolutions:
            x = convolution(x).relu()
        seen: Tensor = self.spectrum(self.dropout(x.flatten(1)))
        return seen


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
        self.attention, self.mlp = Attention(_WIDTH), make_mlp(_WIDTH)
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.before(x), mask=bias))
        mixed: Tensor = x + self.dropout(self.mlp(self.between(x)))
        return mixed

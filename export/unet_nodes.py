"""The U-Net's nodes, written by hand: the same as `models.nets.unet`, in the forms that ONNX Runtime computes fastest.

Samples are (rows, channels, frames). Shapes are constants but for the rows, so no node computes one. A norm is one
InstanceNormalization over groups and one BatchNormalization, which multiplies and adds in one pass; all modulations
come from one product.
"""

from collections.abc import Iterator
from typing import Final, TypeVar

import numpy as np
from torch import nn

from ghostnote.export.node_writer import RUNTIME, Writer
from ghostnote.export.quantization import Arithmetic, values
from ghostnote.models.nets.unet import Level, ResidualBlock, SelfAttention, UNet

Layer = TypeVar("Layer", bound=nn.Module)

_NEAREST: Final = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def silu(out: Writer, x: str) -> str:
    """Return x times its sigmoid, as the one node that ONNX Runtime has for it."""
    return out.op("QuickGelu", x, domain=RUNTIME, alpha=1.0)


def of_kind(modules: nn.Module, kind: type[Layer]) -> list[Layer]:
    """Return the children of `modules` that are of a `kind`, in order."""
    return [module for module in modules.children() if isinstance(module, kind)]


class NetworkWriter:
    """Writes the nodes of one network, whose samples have `frames`."""

    def __init__(self, out: Writer, network: UNet, frames: int, arithmetic: Arithmetic) -> None:
        """Write into `out`."""
        self.out, self.network, self.arithmetic = out, network, arithmetic
        self.patch = network.settings.patch
        self.frames = frames // self.patch
        self._modulations: Iterator[str] = iter(())
        self._neutrals: dict[int, tuple[str, str]] = {}

    def write(self, z: str, t: str, embedded: str, conditioning: str | None, output: str) -> None:
        """Write v (rows, bands, frames) as `output`, from the inputs of `UNet.forward`."""
        out, network = self.out, self.network
        self._modulations = iter(self._modulate(self._embed(t, embedded)))
        x = self._convolve(self._folded(z), network.stem)
        if conditioning is not None:
            x = out.op("Add", x, conditioning)
        skips: list[str] = []
        up, grow = of_kind(network.up, Level), of_kind(network.grow, nn.Conv1d)
        shrink = [None, *of_kind(network.shrink, nn.Conv1d)]
        for i, (level, layer) in enumerate(zip(of_kind(network.down, Level), shrink, strict=True)):
            x = x if layer is None else self._convolve(x, layer)
            x = self._level(x, level, self.frames >> i)
            skips.append(x)
        deepest = len(skips) - 1
        x = self._level(x, up[-1], self.frames >> deepest)
        for i in reversed(range(deepest)):
            scales = out.weight(np.array([1, 1, 2], np.float32))
            grown = out.op("Resize", self._convolve(x, grow[i]), "", scales, **_NEAREST)
            x = out.op("Add", skips[i], grown)
            x = self._level(x, up[i], self.frames >> i)
        x = silu(out, self._norm(x, network.norm, self.frames))
        out.op("Identity", self._unfolded(self._convolve(x, network.out)), output=output)

    def _folded(self, x: str) -> str:
        """Return (rows, bands, frames x patch) as (rows, bands x patch, frames)."""
        if self.patch == 1:
            return x
        bands = self.network.settings.bands
        apart = self.out.op("Reshape", x, self.out.integers(-1, bands, self.frames, self.patch))
        turned = self.out.op("Transpose", apart, perm=[0, 1, 3, 2])
        return self._image(turned, bands * self.patch, self.frames)

    def _unfolded(self, x: str) -> str:
        """Undo `_folded`."""
        if self.patch == 1:
            return x
        bands = self.network.settings.bands
        apart = self.out.op("Reshape", x, self.out.integers(-1, bands, self.patch, self.frames))
        turned = self.out.op("Transpose", apart, perm=[0, 1, 3, 2])
        return self._image(turned, bands, self.frames * self.patch)

    def _image(self, x: str, channels: int, frames: int) -> str:
        return self.out.op("Reshape", x, self.out.integers(-1, channels, frames))

    def _linear(self, x: str, layer: nn.Linear) -> str:
        weight, bias = self.out.weight(values(layer.weight)), self.out.weight(values(layer.bias))
        return self.out.op("Gemm", x, weight, bias, transB=1)

    def _embed(self, t: str, embedded: str) -> str:
        out, (first, second) = self.out, of_kind(self.network.time, nn.Linear)
        angles = out.op("Mul", out.op("Reshape", t, out.integers(-1, 1)), out.weight(values(self.network.frequencies)))
        waves = out.op("Concat", out.op("Cos", angles), out.op("Sin", angles), axis=1)
        hidden = silu(out, self._linear(waves, first))
        return silu(out, out.op("Add", self._linear(hidden, second), embedded))

    def _blocks(self) -> Iterator[ResidualBlock]:
        for level in (*of_kind(self.network.down, Level), *reversed(of_kind(self.network.up, Level))):
            yield from of_kind(level.blocks, ResidualBlock)

    def _modulate(self, embedding: str) -> list[str]:
        """Return scale and shift (rows x channels,) of each block, in the order in which they are used."""
        layers = [block.film for block in self._blocks()]
        sizes = [layer.out_features // 2 for layer in layers for _ in range(2)]
        ones = [np.concatenate([np.ones(n), np.zeros(n)]) for n in sizes[::2]]
        weight = np.concatenate([values(layer.weight) for layer in layers])
        bias = np.concatenate([values(layer.bias) + one for layer, one in zip(layers, ones, strict=True)])
        out = self.out
        whole = self.arithmetic.project(out, embedding, weight, bias.astype(np.float32))
        names = [f"{out.name}/modulation_{i}" for i in range(len(sizes))]
        pieces = out.ops("Split", [whole, out.integers(*sizes)], names, axis=1)
        return [out.op("Reshape", piece, out.integers(-1)) for piece in pieces]

    def _level(self, x: str, level: Level, frames: int) -> str:
        for block, attention in zip(of_kind(level.blocks, ResidualBlock), level.attention, strict=True):
            x = self._block(x, block, frames)
            if isinstance(attention, SelfAttention):
                x = self._attention(x, attention, frames)
        return x

    def _block(self, x: str, block: ResidualBlock, frames: int) -> str:
        out, channels = self.out, block.conv_in.in_channels
        h = self._convolve(silu(out, self._norm(x, block.norm_in, frames)), block.conv_in)
        flat = out.op("Reshape", self._normalised(h, block.norm_out, frames), out.integers(1, -1, frames))
        scale, shift = next(self._modulations), next(self._modulations)
        zero, one = self._neutral(channels, scale)
        h = self._image(out.op("BatchNormalization", flat, scale, shift, zero, one, epsilon=0.0), channels, frames)
        return out.op("Add", x, self._convolve(silu(out, h), block.conv_out))

    def _neutral(self, channels: int, like: str) -> tuple[str, str]:
        """Return zeros and ones (rows x channels,), shared by the blocks of so many channels."""
        if channels not in self._neutrals:
            zero = self.out.op("Sub", like, like)
            self._neutrals[channels] = zero, self.out.op("Exp", zero)
        return self._neutrals[channels]

    def _normalised(self, x: str, norm: nn.GroupNorm, frames: int) -> str:
        """Return x less each group's mean, over its deviation: (rows, groups, channels of a group x frames)."""
        out, groups = self.out, norm.num_groups
        grouped = out.op("Reshape", x, out.integers(-1, groups, norm.num_channels // groups * frames))
        ones, zeros = out.weight(np.ones(groups, np.float32)), out.weight(np.zeros(groups, np.float32))
        return out.op("InstanceNormalization", grouped, ones, zeros, epsilon=norm.eps)

    def _norm(self, x: str, norm: nn.GroupNorm, frames: int) -> str:
        """Return a group norm with its own weights."""
        out, channels = self.out, norm.num_channels
        zero, one = (out.weight(np.full(channels, value, np.float32)) for value in (0, 1))
        weights = out.weight(values(norm.weight)), out.weight(values(norm.bias))
        normalised = self._image(self._normalised(x, norm, frames), channels, frames)
        return out.op("BatchNormalization", normalised, *weights, zero, one, epsilon=0.0)

    def _attention(self, x: str, attention: SelfAttention, frames: int) -> str:
        attended = self.arithmetic.attend(self.out, self._norm(x, attention.norm, frames), attention)
        return self.out.op("Add", x, self._convolve(attended, attention.out))

    def _convolve(self, x: str, layer: nn.Conv1d) -> str:
        return self.arithmetic.convolve(self.out, x, layer)

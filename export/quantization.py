"""The network's products as nodes: convolutions, attention and modulations, in 32 bits or in 8."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ghostnote.export.node_writer import RUNTIME, Writer
from ghostnote.models.nets.unet import SelfAttention

Floats = NDArray[np.float32]

MODULATIONS: Final = "modulations"
"""The name of the limits of the embedding from which all modulations are computed."""


def of_output(name: str) -> str:
    """Return the name of the limits of a layer's output."""
    return f"{name}/output"


_WEIGHT_LIMIT: Final = 63
"""Weights have 7 bits: the sums of two products then fit the 16 bits of processors without VNNI."""


class Arithmetic(Protocol):
    """How a network's products become nodes. Samples are (rows, channels, frames)."""

    def convolve(self, out: Writer, x: str, layer: nn.Conv1d) -> str:
        """Return the layer's output."""
        ...

    def attend(self, out: Writer, x: str, attention: SelfAttention) -> str:
        """Return the attention over the frames of `x`, before the output's projection."""
        ...

    def project(self, out: Writer, x: str, weight: Floats, bias: Floats) -> str:
        """Return the modulations (rows, outputs) of an embedding, by `weight` (outputs, inputs)."""
        ...


def values(tensor: Tensor) -> Floats:
    """Return a parameter as an array."""
    array: Floats = tensor.detach().to(torch.float32).cpu().numpy()
    return array


def bias_of(layer: nn.Conv1d) -> Floats:
    """Return a convolution's bias, zeros where it has none."""
    return np.zeros(layer.out_channels, np.float32) if layer.bias is None else values(layer.bias)


class Exact:
    """Everything in 32 bits."""

    def convolve(self, out: Writer, x: str, layer: nn.Conv1d) -> str:
        """Return the layer's output."""
        pad = int(layer.padding[0])
        weights = out.weight(values(layer.weight)), out.weight(bias_of(layer))
        return out.op(
            "Conv", x, *weights, kernel_shape=[layer.kernel_size[0]], strides=[layer.stride[0]], pads=[pad, pad]
        )

    def attend(self, out: Writer, x: str, attention: SelfAttention) -> str:
        """Return attention by one node, its projection included."""
        weights = out.weight(values(attention.qkv.weight)[:, :, 0].T), out.weight(bias_of(attention.qkv))
        rows = out.op("Transpose", x, perm=[0, 2, 1])
        attended = out.op("Attention", rows, *weights, domain=RUNTIME, num_heads=attention.heads)
        return out.op("Transpose", attended, perm=[0, 2, 1])

    def project(self, out: Writer, x: str, weight: Floats, bias: Floats) -> str:
        """Return the modulations by one product."""
        return out.op("Gemm", x, out.weight(weight), out.weight(bias), transB=1)


@dataclass(frozen=True)
class Limits:
    """The range of an activation in 8 bits; it includes 0."""

    low: float
    high: float

    @property
    def scale(self) -> float:
        """Return the width of one of the 255 intervals."""
        return (self.high - self.low) / 255

    @property
    def zero(self) -> int:
        """Return the whole number that stands for 0."""
        return round(-self.low / self.scale)

    def rounded(self, x: Tensor) -> Tensor:
        """Return `x` rounded to 8 bits."""
        return ((x / self.scale).round().clamp(-self.zero, 255 - self.zero)) * self.scale


def quantised(matrix: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return a matrix (inputs, outputs) as whole numbers, and the scale of each output."""
    scale = np.maximum(np.abs(matrix).max(axis=0), np.float32(1e-12)) / _WEIGHT_LIMIT
    return np.round(matrix / scale).astype(np.int8), scale.astype(np.float32)


class EightBit:
    """Products of 8 bits with exact sums, for those layers whose activations have limits."""

    def __init__(self, limits: dict[str, Limits], names: dict[nn.Module, str]) -> None:
        """Take the `limits` of layers' inputs and outputs by name, and the `names` of the layers."""
        self.limits = {layer: limits[name] for layer, name in names.items() if name in limits}
        self.outputs = {layer: limits[of_output(name)] for layer, name in names.items() if of_output(name) in limits}
        self.modulations = limits.get(MODULATIONS)
        self.exact = Exact()

    def convolve(self, out: Writer, x: str, layer: nn.Conv1d) -> str:
        """Return the layer's output, which has 8 bits too where it has limits."""
        if layer not in self.limits:
            return self.exact.convolve(out, x, layer)
        if layer in self.outputs:
            return self._convolve_whole(out, x, layer)
        rows, scale, zero = self._rows(out, x, layer)
        width, channels = layer.kernel_size[0], layer.in_channels
        if layer.stride[0] == width > 1:
            rows = out.op("Reshape", rows, out.integers(0, -1, width * channels))
        matrix = values(layer.weight).transpose(2, 1, 0).reshape(width * channels, -1)
        product = _product(out, rows, scale, zero, matrix, bias_of(layer))
        return out.op("Transpose", product, perm=[0, 2, 1])

    def _convolve_whole(self, out: Writer, x: str, layer: nn.Conv1d) -> str:
        """Return the layer's output by the one node that goes from 8 bits to 8 bits."""
        source, target = self.limits[layer], self.outputs[layer]
        before, after = _scale_and_zero(out, source), _scale_and_zero(out, target)
        kernel = values(layer.weight)
        weight, scales = quantised(kernel.reshape(len(kernel), -1).T)
        zeros = out.weight(np.zeros(len(kernel), np.int8))
        bias = np.round(bias_of(layer) / (scales * source.scale)).astype(np.int32)
        weights = out.weight(weight.T.reshape(kernel.shape)), out.weight(scales), zeros
        pad = int(layer.padding[0])
        whole = out.op(
            "QLinearConv",
            out.op("QuantizeLinear", x, *before),
            *before,
            *weights,
            *after,
            out.weight(bias),
            kernel_shape=[layer.kernel_size[0]],
            pads=[pad, pad],
        )
        return out.op("DequantizeLinear", whole, *after)

    def attend(self, out: Writer, x: str, attention: SelfAttention) -> str:
        """Return attention by one node, its projection of 8 bits."""
        if attention.qkv not in self.limits:
            return self.exact.attend(out, x, attention)
        rows, scale, zero = self._rows(out, x, attention.qkv)
        weight, scales = quantised(values(attention.qkv.weight)[:, :, 0].T)
        zeros = out.weight(np.zeros(len(scales), np.int8))
        weights = out.weight(weight), out.weight(bias_of(attention.qkv)), scale, out.weight(scales)
        attended = out.op("QAttention", rows, *weights, "", zero, zeros, domain=RUNTIME, num_heads=attention.heads)
        return out.op("Transpose", attended, perm=[0, 2, 1])

    def project(self, out: Writer, x: str, weight: Floats, bias: Floats) -> str:
        """Return the modulations by one product."""
        if self.modulations is None:
            return self.exact.project(out, x, weight, bias)
        scale, zero = _scale_and_zero(out, self.modulations)
        small = out.op("QuantizeLinear", x, scale, zero)
        return _product(out, small, scale, zero, weight.T, bias)

    def _rows(self, out: Writer, x: str, layer: nn.Module) -> tuple[str, str, str]:
        """Return `x` in 8 bits as (rows, frames, channels), with its scale and zero."""
        scale, zero = _scale_and_zero(out, self.limits[layer])
        small = out.op("QuantizeLinear", x, scale, zero)
        return out.op("Transpose", small, perm=[0, 2, 1]), scale, zero


def _scale_and_zero(out: Writer, limits: Limits) -> tuple[str, str]:
    return out.weight(np.array(limits.scale, np.float32)), out.weight(np.array(limits.zero, np.uint8))


def _product(out: Writer, rows: str, scale: str, zero: str, matrix: Floats, bias: Floats) -> str:
    weight, scales = quantised(matrix)
    weights = out.weight(weight), scale, out.weight(scales), zero, "", out.weight(bias)
    return out.op("MatMulIntegerToFloat", rows, *weights, domain=RUNTIME)

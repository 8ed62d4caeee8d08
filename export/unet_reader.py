"""A U-Net's weights from its nodes: the writer's own walk, which reads a layer wherever it would write one.

`unet_nodes` writes layers in a fixed order, so the nodes that hold weights come in that order, too. Weights of 8 bits
come back as what the graph computes with: whole numbers times their scale.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from onnx import NodeProto
from torch import Tensor, nn

from ghostnote.bridge.errors import ModelError
from ghostnote.export.graph_reader import GraphReader
from ghostnote.export.node_writer import Writer
from ghostnote.export.quantization import Floats
from ghostnote.export.unet_nodes import NetworkWriter
from ghostnote.models.nets.unet import SelfAttention, UNet, UNetSettings

_CONVOLUTIONS: Final = ("Conv", "QLinearConv", "MatMulIntegerToFloat")
_ATTENTIONS: Final = ("Attention", "QAttention")
_PRODUCTS: Final = ("Gemm", "MatMulIntegerToFloat")
_NORM: Final = "BatchNormalization"


def read_network(graph: GraphReader, part: str, network: UNet) -> None:
    """Fill the layers of `network` from the nodes of a `part`; `ModelError` where they do not fit."""
    layers = _LayerNodes(graph, part)
    # Frames are only written into shapes, and what this writer gets is thrown away.
    frames = network.settings.patch << len(network.settings.channels)
    _NetworkReader(layers, network, frames).write("z", "t", "embedded", "conditioning", "v")
    layers.finish()


def read_settings(graph: GraphReader, part: str, bands: int, classes: int, embedding: int) -> UNetSettings:
    """Return the shape of a network of `bands` without conditioning, as the nodes of its `part` tell it."""
    splits, convolutions = graph.nodes(part, "Split"), graph.nodes(part, "Conv")
    if len(splits) != 1 or not convolutions:
        raise ModelError(f"the graph has no network {part!r}")
    # Two modulations a block, the blocks of all levels on the way down and again on the way up.
    sizes = graph.array(splits[0].input[1]).tolist()
    levels = 1 + len(graph.nodes(part, "Resize"))
    blocks = len(sizes) // (4 * levels)
    return UNetSettings(
        bands=bands,
        conditioning=0,
        channels=tuple(sizes[: len(sizes) // 2 : 2 * blocks]),
        classes=classes,
        blocks=blocks,
        attention_levels=len(graph.nodes(part, *_ATTENTIONS)) // (2 * blocks),
        embedding=embedding,
        patch=graph.floats(convolutions[0], 1).shape[1] // bands,
    )


def fill(tensor: Tensor, array: Floats) -> None:
    """Set a parameter or buffer; `ModelError` for an array of another shape."""
    if tuple(tensor.shape) != array.shape:
        raise ModelError(f"the graph has weights of {array.shape} where the network has {tuple(tensor.shape)}")
    with torch.no_grad():
        tensor.copy_(torch.from_numpy(np.array(array)))


class _LayerNodes:
    """The nodes of a network that hold weights, each taken once and in order."""

    def __init__(self, graph: GraphReader, part: str) -> None:
        self.graph = graph
        self._left: Iterator[NodeProto] = (
            node
            for node in graph.nodes(part, _NORM, *_CONVOLUTIONS, *_ATTENTIONS, *_PRODUCTS)
            # Modulations are norms, too, whose weights are computed.
            if node.op_type != _NORM or graph.is_constant(node.input[1])
        )

    def take(self, *kinds: str) -> tuple[Floats, Floats]:
        """Return the weights and bias of the next node, which must be of these `kinds`.

        The weights of a convolution are (outputs, inputs, width), those of all others (inputs, outputs).
        """
        node = next(self._left, None)
        if node is None or node.op_type not in kinds:
            found = "nothing" if node is None else node.op_type
            raise ModelError(f"the graph has {found} where the network has one of {', '.join(kinds)}")

        def floats(position: int) -> Floats:
            return self.graph.floats(node, position)

        match node.op_type:
            case "QLinearConv":
                scale = floats(4)
                return floats(3) * scale[:, None, None], floats(8) * scale * floats(1)
            case "MatMulIntegerToFloat":
                return floats(1) * floats(3), floats(6)
            case "QAttention":
                return floats(1) * floats(4), floats(2)
            case "Gemm":
                return floats(1).T, floats(2)
        return floats(1), floats(2)

    def finish(self) -> None:
        """Raise `ModelError` where there are nodes left."""
        node = next(self._left, None)
        if node is not None:
            raise ModelError(f"the graph's {node.name} belongs to no layer of the network")


class _StoredArithmetic:
    """An `Arithmetic` that fills the layers which it is asked to write."""

    def __init__(self, layers: _LayerNodes) -> None:
        self.layers = layers

    def convolve(self, out: Writer, x: str, layer: nn.Conv1d) -> str:
        """Fill a convolution."""
        weight, bias = self.layers.take(*_CONVOLUTIONS)
        if weight.ndim == 2:
            weight = weight.reshape(layer.kernel_size[0], layer.in_channels, -1).transpose(2, 1, 0)
        fill(layer.weight, weight)
        if layer.bias is not None:
            fill(layer.bias, bias)
        return x

    def attend(self, out: Writer, x: str, attention: SelfAttention) -> str:
        """Fill the projection before an attention."""
        weight, bias = self.layers.take(*_ATTENTIONS)
        fill(attention.qkv.weight, weight.T[:, :, None])
        if attention.qkv.bias is not None:
            fill(attention.qkv.bias, bias)
        return x

    def project(self, out: Writer, x: str, weight: Floats, bias: Floats) -> str:
        """Do nothing: modulations are read before."""
        return x


class _NetworkReader(NetworkWriter):
    """Fills the layers of a network in the order in which they were written."""

    def __init__(self, layers: _LayerNodes, network: UNet, frames: int) -> None:
        super().__init__(Writer("read"), network, frames, _StoredArithmetic(layers))
        self.layers = layers

    def _linear(self, x: str, layer: nn.Linear) -> str:
        weight, bias = self.layers.take("Gemm")
        fill(layer.weight, weight.T)
        fill(layer.bias, bias)
        return x

    def _norm(self, x: str, norm: nn.GroupNorm, frames: int) -> str:
        weight, bias = self.layers.take(_NORM)
        fill(norm.weight, weight)
        fill(norm.bias, bias)
        return x

    def _modulate(self, embedding: str) -> list[str]:
        weight, bias = self.layers.take(*_PRODUCTS)
        at = 0
        for block in self._blocks():
            rows = slice(at, at + block.film.out_features)
            at = rows.stop
            # The scale of a modulation is stored with the 1 that it is added to.
            ones = np.repeat(np.array([1, 0], np.float32), block.film.out_features // 2)
            fill(block.film.weight, weight.T[rows])
            fill(block.film.bias, bias[rows] - ones)
        return super()._modulate(embedding)

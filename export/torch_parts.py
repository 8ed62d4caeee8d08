"""The parts of the model as ONNX models of their own, each traced on an example of its arguments."""

import logging
import warnings
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any, Final, get_origin, get_type_hints

import torch
from onnx import ModelProto
from torch import Tensor, nn

from ghostnote.export.node_writer import Writer
from ghostnote.export.quantization import Exact
from ghostnote.export.unet_nodes import NetworkWriter
from ghostnote.models.diffusion.steps import ShapeStep
from ghostnote.models.diffusion.values import TensorSpec, tensor_specs
from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES
from ghostnote.models.nets.unet import UNet

OPSET: Final = 20
"""The version of ONNX's operators."""

_PLACEHOLDER: Final = "placeholder"
"""The domain of the node that stands for a network."""
_EXAMPLE_SIZES: Final = {"batch": 3, "rows": 6}
"""Three hits under guidance; any other size that varies is 2."""


class FlatPart(nn.Module):
    """A part that takes all tensors of its arguments one by one, as an ONNX model does."""

    def __init__(self, part: nn.Module) -> None:
        """Take the arguments from the types of `part.forward`; see `models.diffusion.values`."""
        super().__init__()
        self.part = part
        self.hints = get_type_hints(part.forward, include_extras=True)
        self.hints.pop("return")
        self.specs = tensor_specs(part.forward)

    def forward(self, *tensors: Tensor) -> Any:
        """Return what the part returns."""
        left = iter(tensors)
        return self.part(
            *(
                next(left) if get_origin(hint) is Annotated else hint(*islice(left, len(tensor_specs(hint))))
                for hint in self.hints.values()
            )
        )


def exported(module: nn.Module) -> ModelProto:
    """Export a part; its inputs have the names of its arguments' tensors."""
    part = FlatPart(module).eval()
    specs = part.specs.values()
    example = tuple(_example(spec) for spec in specs)
    varying = {axis for spec in specs for axis in spec.axes if isinstance(axis, str)}
    dims = {name: torch.export.Dim(name, min=1, max=4096) for name in varying}
    axes = tuple({i: dims[axis] for i, axis in enumerate(spec.axes) if axis in dims} for spec in specs)
    return traced(part, example, list(part.specs), (axes,))


def traced(module: nn.Module, example: tuple[Tensor, ...], names: Sequence[str], axes: Any = None) -> ModelProto:
    """Export a module by an `example` of its inputs, which get the `names`; `axes` as torch's dynamic shapes."""
    # The transform's constants are cached where they are first used, and must not be so inside the tracer.
    module(*example)
    # The exporter warns of torchvision's absence, which nothing here needs.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Of its own deprecations and of axes that share a name, as they are meant to.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module, example, dynamic_shapes=axes, input_names=names, opset_version=OPSET, dynamo=True, verbose=False
        )
    if program is None:
        raise RuntimeError(f"torch did not export {type(module).__name__}")
    return program.model_proto


def _example(spec: TensorSpec) -> Tensor:
    size = [_EXAMPLE_SIZES.get(axis, 2) if isinstance(axis, str) else axis for axis in spec.axes]
    if spec.dtype == torch.int64:
        # Valid as a class, as a hit and as a row.
        return torch.arange(size[0]) % _EXAMPLE_SIZES["batch"]
    return torch.rand(size).to(spec.dtype)


class Placeholder(nn.Module):
    """Stands for a network while the step around it is traced: one node, which `exported_shape_step` replaces."""

    def __init__(self, network: UNet) -> None:
        """Stand for `network`, which goes on giving the embeddings."""
        super().__init__()
        self.embed = network.embed

    def forward(self, z: Tensor, t: Tensor, embedded: Tensor) -> Tensor:
        """Return a value of the shape of `z`."""
        v: Tensor = torch.onnx.ops.symbolic(
            f"{_PLACEHOLDER}::Network", (z, t, embedded), dtype=z.dtype, shape=z.shape, version=1
        )
        return v


def exported_shape_step(module: ShapeStep) -> ModelProto:
    """Export the shape model's step, the nodes of its network written by hand."""
    network = module.network
    module.register_module("network", Placeholder(network))
    model = exported(module)
    out, nodes = Writer("network"), []
    for node in model.graph.node:
        if node.domain != _PLACEHOLDER:
            nodes.append(node)
            continue
        z, t, embedded = node.input
        NetworkWriter(out, network, ENVELOPE_FRAMES, Exact()).write(z, t, embedded, None, node.output[0])
        nodes.extend(out.nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(out.weights)
    return model

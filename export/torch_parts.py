"""The parts of the model as ONNX models of their own, each traced on an example of its inputs."""

import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import torch
from onnx import ModelProto
from torch import Tensor, nn

from ghostnote.export.node_writer import Writer
from ghostnote.export.quantization import Arithmetic
from ghostnote.export.unet_nodes import NetworkWriter
from ghostnote.models.diffusion.reference_encoder import REFERENCE_FEATURES
from ghostnote.models.diffusion.steps import ShapeStep
from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES, GROUPS, SEGMENTS
from ghostnote.models.dsp.mdct import BANDS, HIT_FRAMES, MDCT_FRAMES
from ghostnote.models.dsp.noise_shaping import LINES
from ghostnote.models.nets.cascade import SHAPE_ROWS
from ghostnote.models.nets.unet import UNet
from ghostnote.models.statistics.repeatability import LATENT_SIZE, SPANS

OPSET: Final = 20
"""The version of ONNX's operators."""

_HOLLOW: Final = "hollow"
"""The domain of the node that stands for a network."""

Example = Mapping[str, tuple[Tensor, Sequence[str]]]
"""Each input with the names of its dynamic axes."""


def exported(module: nn.Module, example: Example) -> ModelProto:
    """Export a module; `example` gives each input with the names of its dynamic axes, "" for a fixed one."""
    dimensions = {name: torch.export.Dim(name, min=1, max=4096) for name in ("batch", "rows")}
    shapes = {
        name: {axis: dimensions[label] for axis, label in enumerate(axes) if label}
        for name, (_, axes) in example.items()
    }
    # The exporter warns of torchvision's absence, which nothing here needs.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    inputs = {name: tensor for name, (tensor, _) in example.items()}
    # The transform's constants are cached where they are first used, and must not be so inside the tracer.
    module.eval()(**inputs)
    with warnings.catch_warnings():
        # Of its own deprecations and of axes that share a name, as they are meant to.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            kwargs=inputs,
            dynamic_shapes=shapes,
            input_names=list(example),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError(f"torch did not export {type(module).__name__}")
    return program.model_proto


class Hollow(nn.Module):
    """Stands for a network while the step around it is traced: one node, to be replaced by `step`."""

    def __init__(self, network: UNet) -> None:
        """Stand for `network`, which goes on giving the embeddings."""
        super().__init__()
        self.embed = network.embed

    def forward(self, z: Tensor, t: Tensor, embedded: Tensor, conditioning: Tensor | None = None) -> Tensor:
        """Return a value of the shape of `z`."""
        given = (z, t, embedded) if conditioning is None else (z, t, embedded, conditioning)
        v: Tensor = torch.onnx.ops.symbolic(
            f"{_HOLLOW}::Network", given, dtype=z.dtype, shape=z.shape, version=1
        )
        return v


def step(module: ShapeStep, steps: int, arithmetic: Arithmetic) -> ModelProto:
    """Export a step whose network's nodes are written by hand; its sample has `steps`."""
    network = module.network
    module.register_module("network", Hollow(network))
    model = exported(module, shape_step_example())
    out, nodes = Writer("network"), []
    for node in model.graph.node:
        if node.domain != _HOLLOW:
            nodes.append(node)
            continue
        z, t, embedded = node.input
        NetworkWriter(out, network, steps, arithmetic).write(z, t, embedded, None, node.output[0])
        nodes.extend(out.nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(out.weights)
    return model


def shape_step_example() -> Example:
    """Return an example of the shape step's inputs: three hits, under guidance."""
    names = ("z", "t", "s", "guidance", "source", "first", "last", "label")
    return {
        **values_example(names),
        "z": (torch.randn(3, SHAPE_ROWS, ENVELOPE_FRAMES), ("batch",)),
        "label": (torch.tensor([0, 1, 2, 3, 4, 5]), ("rows",)),
    }


def values_example(names: Iterable[str]) -> Example:
    """Return an example of the values that parts of the graph take by these names: three hits, under guidance."""
    sample, shape = torch.randn(3, BANDS, MDCT_FRAMES), torch.randn(3, SHAPE_ROWS, ENVELOPE_FRAMES)
    cells, each = torch.rand(3, GROUPS, SEGMENTS), torch.rand(3)
    by_hit = {
        **dict.fromkeys(("z", "reference_innovation", "mask", "noise", "r", "rho", "u", "answer"), sample),
        **dict.fromkeys(("given", "shape", "shaped"), shape),
        **dict.fromkeys(("coherence", "shared", "reference_coherence", "cells_db", "target_db"), cells),
        **dict.fromkeys(("has_hit", "velocity", "amount"), each),
        "hit": torch.randn(3, HIT_FRAMES),
        "reference_features": torch.rand(3, REFERENCE_FEATURES),
        "label": torch.tensor([0, 1, 2]),
        "variation_latent": torch.randn(3, LATENT_SIZE),
        "peak": torch.rand(3, 1),
        "envelope": torch.randn(3, GROUPS, ENVELOPE_FRAMES),
        "gate": torch.rand(3, GROUPS, ENVELOPE_FRAMES),
        "spectral_gain": torch.rand(3, BANDS, LINES),
        "spectral_deviation_db": torch.rand(3, GROUPS),
        **dict.fromkeys(("sparsity", "target_sparsity"), torch.rand(3, GROUPS, SPANS)),
        "rho_groups": torch.rand(3, GROUPS, MDCT_FRAMES),
        "first": torch.tensor([0, 1, 2]),
        "last": torch.tensor([3, 4, 5]),
    }
    by_row = {
        "v": torch.randn(6, BANDS, MDCT_FRAMES),
        "source": torch.tensor([0, 1, 2, 0, 1, 2]),
        "row_label": torch.tensor([0, 1, 2, 3, 4, 5]),
    }
    alone = {
        "t": torch.tensor([1.0]),
        "s": torch.tensor([0.5]),
        "start": torch.tensor([1.0]),
        "guidance": torch.tensor(2.0),
        "is_diffused": torch.tensor([True]),
    }
    axes: dict[str, tuple[str, ...]] = {
        **dict.fromkeys(by_hit, ("batch",)),
        **dict.fromkeys(by_row, ("rows",)),
        **dict.fromkeys(alone, ()),
    }
    values = {**by_hit, **by_row, **alone}
    # Inputs that are one tensor would be traced as one input.
    return {name: (values[name].clone(), axes[name]) for name in names}

"""The parts of the model as ONNX models of their own, each traced on an example of its inputs."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from typing import Final

import torch
from onnx import ModelProto
from torch import Tensor, nn

from ghostnote.export.arithmetic import Arithmetic
from ghostnote.export.network import NetworkWriter
from ghostnote.export.writer import Writer
from ghostnote.models.cascade import SHAPE_ROWS, Cascade
from ghostnote.models.factors import ENVELOPE_STEPS, GROUPS, SEGMENTS
from ghostnote.models.lapped import BANDS, FRAMES, STEPS
from ghostnote.models.pipeline import ShapeStep, SoundStep
from ghostnote.models.steadiness import WANDER
from ghostnote.models.unet import UNet

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

    def forward(self, z: Tensor, t: Tensor, embedded: Tensor, hint: Tensor | None = None) -> Tensor:
        """Return a value of the shape of `z`."""
        given = (z, t, embedded) if hint is None else (z, t, embedded, hint)
        v: Tensor = torch.onnx.ops.symbolic(
            f"{_HOLLOW}::Network", given, dtype=z.dtype, shape=z.shape, version=1
        )
        return v


def step(module: ShapeStep | SoundStep, example: Example, steps: int, arithmetic: Arithmetic) -> ModelProto:
    """Export a step whose network's nodes are written by hand; its sample has `steps`."""
    network = module.network
    module.register_module("network", Hollow(network))
    model = exported(module, example)
    out, nodes = Writer("network"), []
    for node in model.graph.node:
        if node.domain != _HOLLOW:
            nodes.append(node)
            continue
        z, t, embedded, *hint = node.input
        writer = NetworkWriter(out, network, steps, arithmetic)
        writer.write(z, t, embedded, hint[0] if hint else None, node.output[0])
        nodes.extend(out.nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(out.weights)
    return model


def _rows_example() -> Example:
    return {
        "t": (torch.tensor([1.0]), ()),
        "s": (torch.tensor([0.5]), ()),
        "guidance": (torch.tensor(2.0), ()),
        "source": (torch.tensor([0, 1, 0, 1, 0, 1]), ("rows",)),
        "first": (torch.tensor([0, 1, 2]), ("batch",)),
        "last": (torch.tensor([3, 4, 5]), ("batch",)),
    }


def shape_step_example() -> Example:
    """Return an example of the shape step's inputs: three hits, under guidance."""
    return {
        "z": (torch.randn(3, SHAPE_ROWS, ENVELOPE_STEPS), ("batch",)),
        **_rows_example(),
        "label": (torch.tensor([0, 1, 2, 3, 4, 5]), ("rows",)),
    }


def sound_step_example(model: Cascade) -> Example:
    """Return an example of the sound step's inputs: three hits, under guidance."""
    settings = model.settings.sound
    return {
        "z": (torch.randn(3, BANDS, STEPS), ("batch",)),
        **_rows_example(),
        "embedded": (torch.randn(6, settings.embedding), ("rows",)),
        "hint": (torch.randn(6, settings.channels[0], STEPS), ("rows",)),
        "known": (torch.randn(3, BANDS, STEPS), ("batch",)),
        "mask": (torch.zeros(3, BANDS, STEPS), ("batch",)),
    }


def prepare_example() -> Example:
    """Return an example of the preparation's inputs: three hits, under guidance."""
    return {
        "hit": (torch.randn(3, FRAMES), ("batch",)),
        "has_hit": (torch.tensor([1.0, 0.0, 1.0]), ("batch",)),
        "shaped": (torch.randn(3, SHAPE_ROWS, ENVELOPE_STEPS), ("batch",)),
        "given": (torch.randn(3, SHAPE_ROWS, ENVELOPE_STEPS), ("batch",)),
        "is_shaped": (torch.tensor([True]), ()),
        "coherence": (torch.rand(3, GROUPS, SEGMENTS), ("batch",)),
        "label": (torch.tensor([0, 1, 2]), ("batch",)),
        "velocity": (torch.randn(3), ("batch",)),
        "noise": (torch.randn(3, BANDS, STEPS), ("batch",)),
        "wander": (torch.randn(3, WANDER), ("batch",)),
        "amount": (torch.rand(3), ("batch",)),
        "start": (torch.tensor([1.0]), ()),
        "source": (torch.tensor([0, 1, 0, 1, 0, 1]), ("rows",)),
        "row_label": (torch.tensor([0, 1, 2, 3, 4, 5]), ("rows",)),
    }


def finish_example() -> Example:
    """Return an example of the finish's inputs: three hits, under guidance."""
    return {
        "u": (torch.randn(3, BANDS, STEPS), ("batch",)),
        "is_diffused": (torch.tensor([True]), ()),
        "noise": (torch.randn(3, BANDS, STEPS), ("batch",)),
        "known": (torch.randn(3, BANDS, STEPS), ("batch",)),
        "mask": (torch.zeros(3, BANDS, STEPS), ("batch",)),
        "r": (torch.randn(3, BANDS, STEPS), ("batch",)),
        "shape": (torch.randn(3, SHAPE_ROWS, ENVELOPE_STEPS), ("batch",)),
        "rho": (torch.rand(3, BANDS, STEPS), ("batch",)),
        "change_db": (torch.randn(3, GROUPS, SEGMENTS), ("batch",)),
        "heard": (torch.rand(3, GROUPS, ENVELOPE_STEPS), ("batch",)),
        "has_hit": (torch.tensor([1.0, 0.0, 1.0]), ("batch",)),
        "peak": (torch.rand(3, 1), ("batch",)),
    }

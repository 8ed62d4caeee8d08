"""Putting the graph together: parts exported from torch under the names of the values that they take and give."""

import re
from collections.abc import Sequence

from onnx import ModelProto, NodeProto, TensorProto, helper
from torch import nn

from ghostnote.export.graph_surgery import branch, in_arm, inlined
from ghostnote.export.node_writer import Writer
from ghostnote.export.quantization import Arithmetic
from ghostnote.export.torch_parts import exported, exported_shape_step
from ghostnote.export.unet_nodes import NetworkWriter
from ghostnote.models.diffusion.steps import EulerStep, ShapeStep, UnguidedEulerStep
from ghostnote.models.dsp.mdct import MDCT_FRAMES
from ghostnote.models.nets.cascade import Cascade

Arm = nn.Module | Sequence[str]
"""What one side of a branch does: a part, or values that are there already."""


class Assembly:
    """Makes nodes of parts and collects their weights."""

    def __init__(self) -> None:
        """Begin without weights."""
        self.weights: list[TensorProto] = []

    def part(self, module: nn.Module, outputs: Sequence[str], **names: str) -> list[NodeProto]:
        """Return the nodes of `module`, its inputs found by their names in its arguments or by `names`."""
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", type(module).__name__).lower()
        return self._inline(exported(module), prefix, outputs, names)

    def either(self, condition: str, then: Arm, otherwise: Arm, outputs: Sequence[str], **names: str) -> NodeProto:
        """Return the node that gives `outputs` by `then` where `condition` holds, else by `otherwise`."""
        arms = [self._arm(given, in_arm(arm, outputs), names) for arm, given in (("then", then), ("else", otherwise))]
        return branch("_or_".join(outputs), condition, arms[0], arms[1], outputs)

    def _arm(self, given: Arm, outputs: Sequence[str], names: dict[str, str]) -> list[NodeProto]:
        if isinstance(given, nn.Module):
            return self.part(given, outputs, **names)
        pairs = zip(given, outputs, strict=True)
        return [helper.make_node("Identity", [value], [output]) for value, output in pairs]

    def shape_step(self, model: Cascade) -> list[NodeProto]:
        """Return the nodes of a step of the shape model, for `graph_surgery.loop`."""
        step = exported_shape_step(ShapeStep(model))
        return self._inline(step, "shape", ["shape/stepped"], {"z": "shape/state"})

    def sound_step(self, model: Cascade, arithmetic: Arithmetic) -> list[NodeProto]:
        """Return the nodes of a step of the sound model, for `graph_surgery.loop`."""
        out = Writer("sound")
        rows = out.op("Gather", "sound/state", "source")
        NetworkWriter(out, model.sound, MDCT_FRAMES, arithmetic).write(rows, "t", "embedded", "given_conditioning", "v")
        self.weights.extend(out.weights)
        stepped = self.either("is_plain", UnguidedEulerStep(), EulerStep(), ["sound/stepped"], z="sound/state")
        return [*out.nodes, stepped]

    def _inline(self, model: ModelProto, prefix: str, outputs: Sequence[str], names: dict[str, str]) -> list[NodeProto]:
        nodes, weights = inlined(model, prefix, names, outputs)
        self.weights.extend(weights)
        return nodes

"""Putting the graph together: parts exported from torch under the names of the values that they take and give."""

import inspect
import re
from collections.abc import Sequence

from onnx import NodeProto, TensorProto, helper
from torch import nn

from ghostnote.export.graph_surgery import branch, in_arm, inlined
from ghostnote.export.node_writer import Writer
from ghostnote.export.quantization import Arithmetic, Exact
from ghostnote.export.torch_parts import exported, step, values_example
from ghostnote.export.unet_nodes import NetworkWriter
from ghostnote.models.diffusion.steps import EulerStep, ShapeStep, UnguidedEulerStep
from ghostnote.models.dsp.decomposition import ENVELOPE_FRAMES
from ghostnote.models.dsp.mdct import MDCT_FRAMES
from ghostnote.models.nets.cascade import Cascade

Part = tuple[nn.Module, dict[str, str]]
"""A part, and the names of those values that its arguments do not have the names of."""


class Assembly:
    """Makes nodes of parts and collects their weights."""

    def __init__(self) -> None:
        """Begin without weights."""
        self.weights: list[TensorProto] = []

    def part(self, module: nn.Module, outputs: Sequence[str], **names: str) -> list[NodeProto]:
        """Return the nodes of `module`, its inputs found by its arguments' names or by `names`."""
        example = values_example(inspect.signature(module.forward).parameters)
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", type(module).__name__).lower()
        prefix = f"plain_{prefix}" if getattr(module, "plain", False) else prefix
        nodes, weights = inlined(
            exported(module, example), prefix, {name: names.get(name, name) for name in example}, outputs
        )
        self.weights.extend(weights)
        return nodes

    def either(
        self,
        condition: str,
        then: Part | Sequence[str],
        otherwise: Part | Sequence[str],
        outputs: Sequence[str],
    ) -> NodeProto:
        """Return the node that gives `outputs` by `then` where `condition` holds, else by `otherwise`.

        An arm that is no part names the values that become the outputs.
        """
        arms = [
            self._arm(given, in_arm(arm, outputs)) for arm, given in (("then", then), ("else", otherwise))
        ]
        return branch("_or_".join(outputs), condition, arms[0], arms[1], outputs)

    def _arm(self, given: Part | Sequence[str], outputs: Sequence[str]) -> list[NodeProto]:
        match given:
            case (nn.Module() as module, dict() as names):
                return self.part(module, outputs, **names)
            case _:
                pairs = zip(given, outputs, strict=True)
                return [helper.make_node("Identity", [str(value)], [output]) for value, output in pairs]

    def shape_step(self, model: Cascade) -> list[NodeProto]:
        """Return the nodes of a step of the shape model, for `splice.loop`."""
        network = step(ShapeStep(model), ENVELOPE_FRAMES, Exact())
        names = {name: name for name in ("source", "first", "last", "guidance")}
        nodes, weights = inlined(network, "shape", {**names, "label": "row_label"})
        self.weights.extend(weights)
        return nodes

    def sound_step(self, model: Cascade, arithmetic: Arithmetic) -> list[NodeProto]:
        """Return the nodes of a step of the sound model, for `splice.loop`."""
        out = Writer("sound")
        rows = out.op("Gather", "sound/state", "source")
        NetworkWriter(out, model.sound, MDCT_FRAMES, arithmetic).write(
            rows, "t", "embedded", "conditioning", "v"
        )
        self.weights.extend(out.weights)
        names = {"z": "sound/state"}
        stepped = self.either(
            "is_plain",
            (UnguidedEulerStep(), {**names, "answer": "v"}),
            (EulerStep(), names),
            ["sound/stepped"],
        )
        return [*out.nodes, stepped]

"""The graph that ships: waveform in, waveform out, with the diffusion's steps inside.

The parts of `models.diffusion.pipeline` are exported from torch one by one and joined here by the names of the values
between them. Those that repeat become the bodies of ONNX `Loop`s over the schedules, so the number of steps and the
start are data, not another export.
"""

from collections.abc import Mapping
from typing import Final

import onnx
import torch
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from ghostnote.export.assembly import Assembly
from ghostnote.export.graph_surgery import halved, loop, parsed
from ghostnote.export.node_writer import RUNTIME
from ghostnote.export.quantization import Arithmetic, Exact
from ghostnote.export.torch_parts import OPSET
from ghostnote.models.diffusion.inputs import Inputs
from ghostnote.models.diffusion.pipeline import (
    ChoosePredictor,
    ConditionNetwork,
    DrawStroke,
    ReferencePredictor,
    StartSample,
    Synthesize,
    SynthesizeUnmasked,
)
from ghostnote.models.diffusion.reference_encoder import REFERENCE_FEATURES, ReferenceEncoder, SplitReferenceFeatures
from ghostnote.models.diffusion.steps import RestoreShape
from ghostnote.models.diffusion.values import (
    Conditions,
    DrawnStroke,
    Predictor,
    ReferenceFeatures,
    TensorSpec,
    tensor_specs,
)
from ghostnote.models.dsp.mdct import HIT_FRAMES
from ghostnote.models.nets.cascade import ANY_CLASS, Cascade

INPUTS: Final = tensor_specs(Inputs)
"""The graph's inputs."""
OUTPUTS: Final[Mapping[str, TensorSpec]] = {
    "audio": TensorSpec(("batch", HIT_FRAMES)),
    "shape_made": INPUTS["shape"],
    "features": TensorSpec(("batch", REFERENCE_FEATURES)),
}
"""The graph's outputs: the hit, the shape that it was given, and its reference's features."""

# The rows of `inputs.lay_out`, and the conditions of the branches.
_LAYOUT: Final = f"""
one = Constant<value_int = 1>()
two = Constant<value_int = 2>()
zero = Constant<value_int = 0>()
unguided = Constant<value_float = 1.0>()
is_unguided = Equal(guidance, unguided)
copies = Where(is_unguided, one, two)
label_shape = Shape(label)
batch = Squeeze(label_shape)
count = Mul(copies, batch)
row = Range(zero, count, one)
source = Mod(row, batch)
own_label = Gather(label, source)
any_class = Constant<value_int = {ANY_CLASS}>()
is_second = GreaterOrEqual(row, batch)
row_label = Where(is_second, any_class, own_label)
first = Range(zero, batch, one)
unlabelled = Sub(count, batch)
last = Range(unlabelled, count, one)
shape_times = Size(shape_schedule)
shape_steps = Sub(shape_times, one)
times = Size(schedule)
steps = Sub(times, one)
is_shaped = Greater(shape_steps, zero)
flag_shape = Constant<value_ints = [1]>()
is_diffused_flag = Greater(steps, zero)
is_diffused = Reshape(is_diffused_flag, flag_shape)
zeros = Constant<value_ints = [0]>()
start = Gather(schedule, zeros)
features_shape = Shape(reference_features)
n_features = Gather(features_shape, one)
is_encoded = Greater(n_features, zero)
whole = Constant<value_float = 1.0>()
least = ReduceMin<keepdims = 0>(has_hit)
is_referred = GreaterOrEqual(least, whole)
nothing = Constant<value_float = 0.0>()
most_masked = ReduceMax<keepdims = 0>(mask)
is_free = Equal(most_masked, nothing)
starts_late = ReduceMin<keepdims = 0>(start)
starts_whole = Equal(starts_late, whole)
is_begun_plain = And(is_free, starts_whole)
is_plain = And(is_begun_plain, is_unguided)
"""


def build(model: Cascade, half: bool = True, arithmetic: Arithmetic | None = None) -> ModelProto:
    """Return the graph of `model`, the large weights of its sound network stored as fp16 if `half`.

    The sound network computes in `arithmetic`, 32 bits unless given.
    """
    assembly = Assembly()
    with torch.no_grad():
        nodes = _nodes(model, arithmetic or Exact(), assembly)
    casts, stored = halved(assembly.weights) if half else ([], assembly.weights)
    graph = helper.make_graph([*casts, *nodes], "ghostnote", _value_infos(INPUTS), _value_infos(OUTPUTS), stored)
    built = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, 1)], ir_version=9
    )
    onnx.checker.check_model(built)
    return built


def _nodes(model: Cascade, arithmetic: Arithmetic, assembly: Assembly) -> list[NodeProto]:
    """Return all nodes in order; their weights go to `assembly`."""
    shape, sound = assembly.shape_step(model), assembly.sound_step(model, arithmetic)
    part, either, axes = assembly.part, assembly.either, {name: spec.axes for name, spec in INPUTS.items()}
    return [
        *parsed(_LAYOUT),
        *loop("shape", shape, "shape_schedule", "shape_steps", "shape", "shaped", axes["shape"]),
        either("is_shaped", RestoreShape(model), ["shape"], ["given"]),
        either("is_encoded", ["reference_features"], ReferenceEncoder(model), ["features"]),
        *part(SplitReferenceFeatures(), ReferenceFeatures._fields),
        *part(DrawStroke(model), DrawnStroke._fields),
        either("is_referred", ReferencePredictor(), ChoosePredictor(), Predictor._fields),
        *part(ConditionNetwork(model), Conditions._fields),
        either(
            "is_plain",
            ["stroke_noise", "stroke_noise", "nothing"],
            StartSample(model),
            ["reference_innovation", "z", "given_part"],
        ),
        *parsed("given_conditioning = Add(conditioning, given_part)"),
        *loop("sound", sound, "schedule", "steps", "z", "u", axes["noise"]),
        either("is_plain", SynthesizeUnmasked(), Synthesize(), ["audio"]),
    ]


def _value_infos(specs: Mapping[str, TensorSpec]) -> list[ValueInfoProto]:
    kinds = {torch.float32: TensorProto.FLOAT, torch.int64: TensorProto.INT64}
    return [helper.make_tensor_value_info(name, kinds[spec.dtype], spec.axes) for name, spec in specs.items()]

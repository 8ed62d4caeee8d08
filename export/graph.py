"""The graph that ships: waveform in, waveform out, with the diffusion's steps inside.

The parts of `models.pipeline` are exported from torch one by one and joined here. Those that repeat become the
bodies of ONNX `Loop`s over the schedules, so the number of steps and the start are data, not another export.
"""

from collections.abc import Mapping
from typing import Final

import onnx
import torch
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from ghostnote.export.arithmetic import Arithmetic, Exact
from ghostnote.export.parts import (
    OPSET,
    exported,
    finish_example,
    prepare_example,
    shape_step_example,
    sound_step_example,
    step,
)
from ghostnote.export.splice import halved, inlined, loop, parsed
from ghostnote.export.writer import RUNTIME
from ghostnote.models.cascade import ANY_CLASS, SHAPE_ROWS, Cascade
from ghostnote.models.factors import ENVELOPE_STEPS, GROUPS, SEGMENTS
from ghostnote.models.lapped import BANDS, FRAMES, STEPS
from ghostnote.models.pipeline import Finish, Prepare, ShapeStep, SoundStep
from ghostnote.models.steadiness import WANDER

INPUTS: Final[Mapping[str, tuple[str | int, ...]]] = {
    "hit": ("batch", FRAMES),
    "has_hit": ("batch",),
    "shape": ("batch", SHAPE_ROWS, ENVELOPE_STEPS),
    "shape_schedule": ("shape_times",),
    "coherence": ("batch", GROUPS, SEGMENTS),
    "amount": ("batch",),
    "label": ("batch",),
    "velocity": ("batch",),
    "noise": ("batch", BANDS, STEPS),
    "wander": ("batch", WANDER),
    "schedule": ("times",),
    "mask": ("batch", BANDS, STEPS),
    "guidance": (),
}
"""The graph's inputs and their shapes; all float32 but the label, int64."""
OUTPUTS: Final[Mapping[str, tuple[str | int, ...]]] = {
    "audio": ("batch", FRAMES),
    "shape_made": ("batch", SHAPE_ROWS, ENVELOPE_STEPS),
}
"""The graph's outputs: the hit, and the shape that it was given."""

# What the exported parts leave open: the rows of `inputs.lay_out`, and which way the shape comes.
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
known_label = Gather(label, source)
any_class = Constant<value_int = {ANY_CLASS}>()
is_second = GreaterOrEqual(row, batch)
row_label = Where(is_second, any_class, known_label)
first = Range(zero, batch, one)
unlabelled = Sub(count, batch)
last = Range(unlabelled, count, one)
shape_times = Size(shape_schedule)
shape_steps = Sub(shape_times, one)
times = Size(schedule)
steps = Sub(times, one)
is_shaped_flag = Greater(shape_steps, zero)
flag_shape = Constant<value_ints = [1]>()
is_shaped = Reshape(is_shaped_flag, flag_shape)
is_diffused_flag = Greater(steps, zero)
is_diffused = Reshape(is_diffused_flag, flag_shape)
zeros = Constant<value_ints = [0]>()
start = Gather(schedule, zeros)
"""


def build(model: Cascade, half: bool = True, arithmetic: Arithmetic | None = None) -> ModelProto:
    """Return the graph of `model`, the large weights of its sound network stored as fp16 if `half`.

    The sound network computes in `arithmetic`, 32 bits unless given.
    """
    arithmetic = arithmetic or Exact()
    with torch.no_grad():
        shape_step = step(ShapeStep(model), shape_step_example(), ENVELOPE_STEPS, Exact())
        sound_step = step(SoundStep(model), sound_step_example(model), STEPS, arithmetic)
        prepare = exported(Prepare(model), prepare_example())
        finish = exported(Finish(), finish_example())
    rows = {"source": "source", "first": "first", "last": "last", "guidance": "guidance"}
    shape_nodes, shape_weights = inlined(shape_step, "shape", {**rows, "label": "row_label"})
    sound_names = {**rows, "embedded": "embedded", "hint": "hint", "known": "known", "mask": "mask"}
    sound_nodes, sound_weights = inlined(sound_step, "sound", sound_names)
    prepare_nodes, prepare_weights = inlined(
        prepare,
        "prepare",
        {
            **{name: name for name in INPUTS},
            **rows,
            "shaped": "shaped",
            "is_shaped": "is_shaped",
            "given": "shape",
            "start": "start",
            "row_label": "row_label",
        },
        (
            "peak",
            "r",
            "shape_made",
            "rho",
            "known",
            "coloured",
            "change_db",
            "heard",
            "z",
            "embedded",
            "hint",
        ),
    )
    finish_names = {**{name: name for name in finish_example()}, "shape": "shape_made", "noise": "coloured"}
    finish_nodes, finish_weights = inlined(finish, "finish", finish_names, ("audio",))
    nodes = [
        *parsed(_LAYOUT),
        *loop(
            "shape",
            shape_nodes,
            "shape_schedule",
            "shape_steps",
            "shape",
            "shaped",
            INPUTS["shape"],
        ),
        *prepare_nodes,
        *loop("sound", sound_nodes, "schedule", "steps", "z", "u", INPUTS["noise"]),
        *finish_nodes,
    ]
    weights = [*shape_weights, *sound_weights, *prepare_weights, *finish_weights]
    casts, stored = halved(weights) if half else ([], weights)
    graph = helper.make_graph([*casts, *nodes], "ghostnote", _values(INPUTS), _values(OUTPUTS), stored)
    built = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, 1)], ir_version=9
    )
    onnx.checker.check_model(built)
    return built


def _values(shapes: Mapping[str, tuple[str | int, ...]]) -> list[ValueInfoProto]:
    kinds = {"label": TensorProto.INT64}
    return [
        helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), shape)
        for name, shape in shapes.items()
    ]

"""ONNX surgery: models inlined into a graph, steps made into loops, weights halved."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, parser

_HALF_ELEMENTS: Final = 1024
"""Weights of at least this many elements are stored as fp16."""
_EXACT: Final = "shape/"
"""The shape model's weights stay fp32: phase is the integral of pitch, and accumulates every rounding error."""

_BODY: Final = """
t_index = Unsqueeze(i, body_axis)
t = Gather({schedule}, t_index)
s_index = Add(t_index, body_axis_one)
s = Gather({schedule}, s_index)
go_on = Identity(go)
"""


def inlined(
    model: ModelProto, prefix: str, names: Mapping[str, str], outputs: Sequence[str]
) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return a model's nodes and weights for use inside another graph.

    Inputs keep their names or take the given `names`, outputs those of `outputs`; all other values get the prefix.
    """
    graph = model.graph
    renamed = {value.name: names.get(value.name, value.name) for value in graph.input}
    renamed |= {value.name: name for value, name in zip(graph.output, outputs, strict=True)}

    def rename(values: Sequence[str]) -> list[str]:
        return [value and renamed.get(value, f"{prefix}/{value}") for value in values]

    nodes = []
    for node in graph.node:
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.name = f"{prefix}/{node.name}"
        copy.ClearField("metadata_props")
        copy.input[:], copy.output[:] = rename(node.input), rename(node.output)
        nodes.append(copy)
    weights = []
    for tensor in graph.initializer:
        copied = TensorProto()
        copied.CopyFrom(tensor)
        copied.name = f"{prefix}/{tensor.name}"
        weights.append(copied)
    return nodes, weights


def loop(
    prefix: str,
    nodes: Sequence[NodeProto],
    schedule: str,
    count: str,
    start: str,
    result: str,
    shape: Sequence[str | int],
) -> list[NodeProto]:
    """Return the nodes that run a step's `nodes` once for each interval of `schedule`, from `start` to `result`.

    A step goes from `PREFIX/state` at time `t` to `PREFIX/stepped` at time `s`.
    """
    body = helper.make_graph(
        [*parsed(_BODY.format(schedule=schedule)), *nodes],
        f"{prefix}_body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, ()),
            helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
            helper.make_tensor_value_info(f"{prefix}/state", TensorProto.FLOAT, shape),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, ()),
            helper.make_tensor_value_info(f"{prefix}/stepped", TensorProto.FLOAT, shape),
        ],
        [
            numpy_helper.from_array(torch.tensor([0]).numpy(), "body_axis"),
            numpy_helper.from_array(torch.tensor([1]).numpy(), "body_axis_one"),
        ],
    )
    return [helper.make_node("Loop", [count, "", start], [result], name=f"{prefix}_loop", body=body)]


def branch(
    name: str, condition: str, then: Sequence[NodeProto], otherwise: Sequence[NodeProto], outputs: Sequence[str]
) -> NodeProto:
    """Return the node that runs `then` where `condition` holds, else `otherwise`; either computes the `outputs`.

    Inside, these are named by `in_arm`.
    """
    arms = [
        helper.make_graph(
            list(nodes),
            f"{name}_{arm}",
            [],
            [helper.make_tensor_value_info(value, TensorProto.FLOAT, None) for value in in_arm(arm, outputs)],
        )
        for arm, nodes in (("then", then), ("else", otherwise))
    ]
    return helper.make_node("If", [condition], outputs, name=name, then_branch=arms[0], else_branch=arms[1])


def in_arm(arm: str, outputs: Sequence[str]) -> list[str]:
    """Return the names of a branch's `outputs` in its arm "then" or "else"."""
    return [f"{output}/{arm}" for output in outputs]


def halved(weights: Sequence[TensorProto]) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return the weights with large float ones as fp16, and the nodes that cast them back as the graph loads."""
    casts, stored = [], []
    for tensor in weights:
        array = numpy_helper.to_array(tensor)
        small = tensor.data_type != TensorProto.FLOAT or array.size < _HALF_ELEMENTS
        if small or tensor.name.startswith(_EXACT):
            stored.append(tensor)
            continue
        stored.append(numpy_helper.from_array(array.astype("float16"), f"{tensor.name}/half"))
        casts.append(helper.make_node("Cast", [f"{tensor.name}/half"], [tensor.name], to=TensorProto.FLOAT))
    return casts, stored


def parsed(text: str) -> list[NodeProto]:
    """Return nodes from ONNX's text form, one a line."""
    return [parser.parse_node(line) for line in text.strip().splitlines()]

"""A model file whose graph runs without end."""

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ghostnote.bridge.inference.model_card import BLANK_SEAL, SEAL_KEY, seal

_OUTPUTS = {"audio": "hit", "shape_made": "shape", "features": "reference_features"}
"""Each output and the input that it is made of."""


def write_endless_model(path: Path) -> None:
    """Write a model with the card, inputs and outputs of the shipped one, and a loop that never ends in its graph."""
    with as_file(files("ghostnote.models") / "ghostnote.onnx") as shipped:
        proto = onnx.load(shipped)
    graph = proto.graph
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    constants = {"turns": np.array(2**62), "go": np.array(True), "one": np.array(1, np.float32)}
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.append(helper.make_node("Loop", ["turns", "go", "one"], ["sum"], body=_body()))
    graph.node.extend(helper.make_node("Mul", [given, "sum"], [name]) for name, given in _OUTPUTS.items())
    next(entry for entry in proto.metadata_props if entry.key == SEAL_KEY).value = BLANK_SEAL
    path.write_bytes(seal(proto.SerializeToString()))


def _body() -> onnx.GraphProto:
    nodes = [helper.make_node("Identity", ["on"], ["go_on"]), helper.make_node("Mul", ["x", "x"], ["y"])]
    turn = helper.make_tensor_value_info("turn", TensorProto.INT64, [])
    on, go_on = (helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("on", "go_on"))
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in ("x", "y"))
    return helper.make_graph(nodes, "body", [turn, on, x], [go_on, y])

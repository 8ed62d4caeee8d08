"""Writing an ONNX graph by hand: nodes and weights, each named once."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

RUNTIME: Final = "com.microsoft"
"""The domain of the operators that ONNX Runtime adds to the standard's."""


class Writer:
    """Collects the nodes and weights of a part of a graph; every name begins with the part's own."""

    def __init__(self, name: str) -> None:
        """Begin the part `name`."""
        self.name = name
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def weight(self, array: NDArray[Any]) -> str:
        """Return the name of a constant; equal ones are stored once."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = f"{self.name}/weight_{len(self.weights)}"
            self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), self._known[key]))
        return self._known[key]

    def integers(self, *values: int) -> str:
        """Return the name of a constant vector of integers: a shape, or axes."""
        return self.weight(np.array(values, np.int64))

    def op(self, kind: str, *inputs: str, domain: str = "", output: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        return self.ops(kind, inputs, [output or f"{self.name}/value_{len(self.nodes)}"], domain, **attributes)[0]

    def ops(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node of several outputs and return their names."""
        name = f"{self.name}/{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=name, domain=domain, **attributes))
        return list(outputs)

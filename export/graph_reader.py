"""Reading an exported graph: its nodes by the part that they belong to, and the constants that they take."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, numpy_helper

from ghostnote.bridge.errors import ModelError
from ghostnote.export.quantization import Floats

_HALF: Final = "/half"


class GraphReader:
    """The nodes and constants of one exported model."""

    def __init__(self, model: ModelProto) -> None:
        """Read `model`; weights stored as fp16 are found by the names under which nodes take them."""
        self._constants = {tensor.name.removesuffix(_HALF): tensor for tensor in model.graph.initializer}
        self._parts: dict[str, list[NodeProto]] = defaultdict(list)
        for node in _all_nodes(model.graph):
            self._parts[node.name.rpartition("/")[0]].append(node)

    def nodes(self, part: str, *kinds: str) -> list[NodeProto]:
        """Return a part's nodes of these `kinds` in order; the part is what stands before the last / of their names."""
        return [node for node in self._parts.get(part, ()) if node.op_type in kinds]

    def is_constant(self, name: str) -> bool:
        """Return whether a value is a constant."""
        return name in self._constants

    def array(self, name: str) -> NDArray[Any]:
        """Return a constant as it is stored."""
        return np.asarray(numpy_helper.to_array(self._constants[name]))

    def floats(self, node: NodeProto, position: int) -> Floats:
        """Return the constant that a node takes as its input number `position`, in 32 bits."""
        name = node.input[position] if position < len(node.input) else ""
        if not self.is_constant(name):
            raise ModelError(f"{node.name} of the graph takes no constant as its input {position}")
        return self.array(name).astype(np.float32)

    def find(self, part: str, kind: str, position: int | None = None, size: int | None = None) -> Floats:
        """Return the one constant that nodes of this `kind` take in a `part`; `ModelError` where it is not one.

        Only those of `size` elements at the input's `position` count, where these are given.
        """
        taken = {
            name
            for node in self.nodes(part, kind)
            for at, name in enumerate(node.input)
            if self.is_constant(name) and position in (None, at) and size in (None, self._size(name))
        }
        if len(taken) != 1:
            raise ModelError(f"the graph's {part} has {len(taken)} constants of {size} numbers for {kind}, not one")
        return self.array(taken.pop()).astype(np.float32)

    def _size(self, name: str) -> int:
        return int(np.prod(self._constants[name].dims, dtype=np.int64))


def _all_nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield the nodes of a graph and of the loops and branches inside it, in order."""
    for node in graph.node:
        yield node
        inner: Iterable[GraphProto] = (attribute.g for attribute in node.attribute if attribute.HasField("g"))
        for body in inner:
            yield from _all_nodes(body)

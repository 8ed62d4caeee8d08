"""Parts of models that are traced once in a run of the tests: torch takes a minute for those of a graph."""

import hashlib
from pathlib import Path

import onnx
from filelock import FileLock

from ghostnote.export import torch_parts


def traced_once(folder: Path):
    """Return `torch_parts.traced`, which keeps what it gives in `folder`, by type, weights and inputs of a part."""
    trace = torch_parts.traced

    def traced(module, example, names, axes=None):
        if not isinstance(module, torch_parts.FlatPart):
            return trace(module, example, names, axes)
        key = hashlib.sha256(repr([type(module.part), [(x.shape, x.dtype) for x in example], names, axes]).encode())
        for name, tensor in sorted(module.state_dict().items()):
            key.update(name.encode() + tensor.numpy().tobytes())
        path = folder / f"{key.hexdigest()}.onnx"
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                onnx.save(trace(module, example, names, axes), path)
        return onnx.load(path)

    return traced

"""A model file's metadata and what its graph refers to, read from the bytes before ONNX Runtime opens it.

The fields' numbers are those of ONNX's `onnx.proto`; the encoding is that of protocol buffers.
"""

from collections.abc import Iterator
from typing import Final

_METADATA: Final = 14
_PARTS: Final = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""For each message that may hold tensors, the fields that do."""
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MAX_DEPTH: Final = 100


def metadata(data: bytes) -> dict[str, str]:
    """Return a model's metadata entries; `ValueError` for bytes that are not a protocol buffer."""
    if not data:
        raise ValueError("the file is empty")
    entries = (dict(_fields(value)) for field, value in _fields(memoryview(data)) if field == _METADATA)
    return {_text(entry.get(1)): _text(entry.get(2)) for entry in entries}


def has_external_data(data: bytes) -> bool:
    """Return whether a tensor lies in another file; `ValueError` for bytes that are not a protocol buffer."""
    if b"location" not in data:
        # External data says its location under that word: most files need no closer look.
        return False
    waiting: list[tuple[str, memoryview, int]] = [("model", memoryview(data), 0)]
    while waiting:
        kind, message, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise ValueError("graphs lie too deep in each other")
        for field, value in _fields(message):
            if kind == "tensor":
                if field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value):
                    return True
            elif isinstance(value, memoryview) and field in _PARTS[kind]:
                part = _PARTS[kind][field]
                waiting += [(part, value, depth + 1)]
    return False


def _fields(message: int | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield each field's number and value: bytes, or a whole number."""
    if isinstance(message, int):
        raise ValueError("a number stands where a message should be")
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        size = {_FIXED_64: 8, _FIXED_32: 4}.get(key & 7)
        if key & 7 == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if key & 7 == _BYTES:
            size, at = _varint(message, at)
        if size is None or at + size > len(message):
            raise ValueError(f"a field is damaged at byte {at}")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where the next byte lies."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte, at = message[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"a number is damaged at byte {at}")


def _text(value: int | memoryview | None) -> str:
    """Return a field as text."""
    return str(value, "utf-8") if isinstance(value, memoryview) else ""

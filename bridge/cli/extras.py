"""Commands that need torch import it when they run, and say so where it is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ghostnote.bridge.errors import MissingExtraError

_PAGE_MODULES: Final = ("starlette", "uvicorn", "websockets")
_MODULES: Final = ("torch", "onnx", "onnxscript", "safetensors", "matplotlib")


@contextmanager
def needs_extra(command: str) -> Iterator[None]:
    """Explain a missing optional module by the extra that has it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _MODULES:
            raise
        raise MissingExtraError(f"'ghostnote {command}'", "train") from error


@contextmanager
def needs_page(command: str) -> Iterator[None]:
    """Explain a missing module of the page's server by the extra that has it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _PAGE_MODULES:
            raise
        raise MissingExtraError(f"'ghostnote {command}'", "page") from error

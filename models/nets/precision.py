"""In which precision networks compute while they train."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which networks compute in bf16 where `device` does so in hardware, else in 32 bits.

    A processor without it emulates bf16, which takes ten to twenty times as long as 32 bits.
    """
    if device.type == "cpu" and not _has_bf16(torch.cpu.get_capabilities()):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which all is computed in 32 bits, also inside of `autocast`."""
    return torch.autocast(device.type, enabled=False)


def _has_bf16(capabilities: Mapping[str, Any]) -> bool:
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))

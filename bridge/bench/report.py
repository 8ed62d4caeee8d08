"""What a benchmark measured, as text and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.io.atomic_file import write_bytes

_VERDICTS: Final = {None: "", True: "met", False: "NOT met"}


@dataclass(frozen=True)
class Measurement:
    """One measured number."""

    key: str
    """Its name in the JSON file."""
    text: str
    """What was measured."""
    value: float
    unit: str = ""
    is_met: bool | None = None
    """Whether it holds what it has to; None for what is measured alone."""


def measurements_table(measurements: Sequence[Measurement]) -> str:
    """Return measurements as text, a line each."""
    width = max(len(m.text) for m in measurements)
    return "\n".join(
        f"{m.text:<{width}}  {m.value:9.3f} {m.unit:<3} {_VERDICTS[m.is_met]}".rstrip() for m in measurements
    )


def write_measurements(path: Path, measurements: Sequence[Measurement]) -> None:
    """Write measurements as JSON; `OutputError` where that cannot be done."""
    write_bytes(path, json.dumps({m.key: m.value for m in measurements}, indent=2).encode() + b"\n")

"""Measured figures: how benchmarks tell what they found."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostnote.bridge.io.atomic_file import write_bytes


@dataclass(frozen=True)
class Figure:
    """One measured figure."""

    key: str
    """Its name in the JSON file."""
    text: str
    """What it is."""
    value: float
    unit: str = ""


def figures_table(figures: Sequence[Figure]) -> str:
    """Return figures as text, a line each."""
    width = max(len(figure.text) for figure in figures)
    return "\n".join(f"{f.text:<{width}}  {f.value:9.3f} {f.unit}".rstrip() for f in figures)


def write_figures(path: Path, figures: Sequence[Figure]) -> None:
    """Write figures as JSON; `OutputError` where that cannot be done."""
    write_bytes(path, json.dumps({f.key: f.value for f in figures}, indent=2).encode() + b"\n")

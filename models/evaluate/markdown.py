"""Tables in Markdown, lined up so that they read well as plain text too."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table with its columns lined up, and an empty line after it."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    return [lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:], ""]


def number(value: float, digits: int = 2) -> str:
    """Return a number, or a dash for none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def figure(found: Mapping[str, Any], digits: int = 2) -> str:
    """Return a figure with its interval."""
    return (
        f"{number(found['value'], digits)} [{number(found['low'], digits)}, {number(found['high'], digits)}]"
    )


def cell(figures: Mapping[str, Any], name: str, digits: int = 2) -> str:
    """Return the figure of a class, or a dash where it has none."""
    return number(figures[name]["value"], digits) if name in figures else "–"

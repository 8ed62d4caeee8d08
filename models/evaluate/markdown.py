"""Tables in Markdown, lined up so that they read well as plain text too."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ghostnote.models.data.trial_set import LEAST_DRUMS


def section(title: str, *parts: str | list[str]) -> list[str]:
    """Return the lines of a section: its heading, then paragraphs and tables with an empty line after each."""
    lines = [f"## {title}", ""]
    for part in parts:
        lines += [part, ""] if isinstance(part, str) else part
    return lines


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table with its columns lined up, and an empty line after it."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    return [lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:], ""]


def class_table(
    columns: Mapping[str, Mapping[str, Any]], intervals: Collection[str] = (), digits: int = 2
) -> list[str]:
    """Return a table with a row for each class of the first column; `intervals` names the columns that show theirs.

    A class of fewer than LEAST_DRUMS drums has dashes: nothing is claimed of it.
    """
    rows = [
        (
            f"{name} ({found['groups']})",
            *(
                estimate(claimed(name, by_class.get(name)), digits, interval=title in intervals)
                for title, by_class in columns.items()
            ),
        )
        for name, found in next(iter(columns.values())).items()
    ]
    return table(("class (drums)", *columns), rows)


def claimed(name: str, found: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the estimate for a class, or None where too few drums stand behind it."""
    return found if found and (name == "all" or found["groups"] >= LEAST_DRUMS) else None


def number(value: float | None, digits: int = 2) -> str:
    """Return a number, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def estimate(found: Mapping[str, Any] | None, digits: int = 2, *, interval: bool = True) -> str:
    """Return an estimate and, where asked, its interval; a dash where there is none."""
    if found is None:
        return "–"
    value, low, high = (number(found[key], digits) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]" if interval else value

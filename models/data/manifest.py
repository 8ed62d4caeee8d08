"""The table that a corpus may carry, `manifest.csv`: one row a hit."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.errors import CorpusError
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.io.printable import printable
from ghostnote.bridge.kinds import kind_from_name

MANIFEST: Final = "manifest.csv"
GROUP_KINDS: Final = ("rr", "velocity", "variants", "single")
SPLITS: Final = ("train", "valid", "test")
COLUMNS: Final = (
    "path",
    "class",
    "group",
    "group_kind",
    "layer",
    "round_robin",
    "velocity",
    "split",
    "licence",
    "attribution",
)
"""What is written. To be read, a manifest needs only `path` and `class`; other columns are ignored."""

Skipped = tuple[Path, str]
"""A file that is left out, and the rest of a sentence that says why."""


def skipped_lines(skipped: Iterable[Skipped]) -> list[str]:
    """Return a line for each file that is left out, as it can be printed and saved."""
    return [printable(f"{path} is left out: it {reason}") for path, reason in skipped]


@dataclass(frozen=True)
class HitFile:
    """One sound file of a corpus and its place in it."""

    path: Path
    drum_class: str
    group: str
    """One drum, one articulation, one microphone: other hits of the group are other strokes of it."""
    group_kind: str
    """`rr`: repeats at one or more layers; `velocity`: a stroke a level; `variants`: no repeats; `single`."""
    layer: str
    """The velocity layer inside the group, or ''."""
    velocity: float | None
    """0..1, or None where unknown."""
    split: str
    """`train`, `valid` or `test`; a group is never divided."""
    credit: str
    """Whom to credit for the sound, with its licence, or ''."""
    kind: str = ""
    """A name of `kinds.KINDS`, or '' where none fits."""


def read_manifest(path: Path) -> tuple[list[HitFile], list[Skipped]]:
    """Return the hits of a manifest, `split` empty where it has none, and the rows that break a rule.

    Raises `CorpusError` where the file is not such a table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = {"path", "class"} - set(reader.fieldnames or ())
            rows = [] if missing else list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read as a table: {error}; save it as CSV in UTF-8") from None
    if missing:
        raise CorpusError(f"{path} has no column {' and no column '.join(sorted(missing))}: it needs path and class")
    sizes = Counter(row.get("group", "") for row in rows)
    hits: list[HitFile] = []
    skipped: list[Skipped] = []
    for row in rows:
        try:
            hits.append(_hit(path.parent, row, sizes[row.get("group", "")]))
        except ValueError as error:
            skipped.append((path.parent / row["path"], str(error)))
    return hits, skipped


def write_manifest(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows with the keys of `COLUMNS` as a manifest, whole or not at all; raises `OutputError`."""
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path, table.getvalue().encode())


def _hit(folder: Path, row: Mapping[str, str], group_size: int) -> HitFile:
    """Check one row; `ValueError` says which value breaks which rule."""
    group = row.get("group", "")
    path = folder / row["path"]
    if Path(row["path"]).is_absolute() or ".." in Path(row["path"]).parts:
        raise ValueError(f"has a path, {row['path']!r}, that leads out of the manifest's folder")
    if not path.is_file():
        raise ValueError("is listed, but there is no such file")
    repeated = "rr" if group and group_size > 1 else "single"
    return HitFile(
        path=path,
        drum_class=_one_of(row, "class", CLASS_NAMES),
        group=group or row["path"],
        group_kind=_one_of(row, "group_kind", GROUP_KINDS) if row.get("group_kind") else repeated,
        layer=row.get("layer", ""),
        velocity=_velocity(row.get("velocity", "")),
        split=_one_of(row, "split", SPLITS) if row.get("split") else "",
        credit=_credit(row.get("attribution", ""), row.get("licence", "")),
        kind=kind_from_name(row["class"], row.get("articulation") or path.stem),
    )


def _one_of(row: Mapping[str, str], column: str, allowed: Sequence[str]) -> str:
    if row[column] not in allowed:
        raise ValueError(f"has {column} {row[column]!r}, which is none of {', '.join(allowed)}")
    return row[column]


def _velocity(text: str) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        value = -1.0
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"has velocity {text!r}, which is not a number from 0 to 1")
    return value


def _credit(attribution: str, licence: str) -> str:
    said = licence.lower().replace("-", " ") in attribution.lower().replace("-", " ")
    return attribution if said else f"{attribution} ({licence})".strip()

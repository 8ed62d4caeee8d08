"""What new drums are drawn from, measured anew: puts the drums of a corpus into a model file.

`python -m ghostnote.export.describe_drums MODEL.onnx --data DRUMS -o MODEL.onnx` replaces the descriptions on the
model's card; its networks stay as they are. The drums are those of the corpus's train split, as `ghostnote train`
describes them. A kind that the train split lacks is described from the other splits, so that each can be generated.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from ghostnote.bridge.errors import CorpusError
from ghostnote.bridge.inference.drum_table import DrumTable
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.export.export import with_card
from ghostnote.models.data.corpus import load_splits
from ghostnote.models.data.dataset import make_hit_set
from ghostnote.models.program import run_program
from ghostnote.models.statistics.drum_statistics import measure_drums

_Cell = TypeVar("_Cell")
_TRAIN: Final = "train"
_OTHERS: Final = ("valid", "test")


def describe_drums(data: Path) -> DrumTable:
    """Return the drums of the corpus `data`; `CorpusError` where it has no train split."""
    table = _measured(data, _TRAIN)
    for split in _OTHERS:
        try:
            table = with_new_kinds(table, _measured(data, split))
        except CorpusError:
            continue
    return table


def with_new_kinds(table: DrumTable, other: DrumTable) -> DrumTable:
    """Return the drums of `table`, and those of `other` whose kinds it lacks."""
    known = {"", *table.kinds}
    rows = [row for row, kind in enumerate(other.kinds) if kind not in known]
    return DrumTable(
        (*table.kinds, *_chosen(other.kinds, rows)),
        (*table.labels, *_chosen(other.labels, rows)),
        (*table.bands, *_chosen(other.bands, rows)),
        (*table.modes, *_chosen(other.modes, rows)),
        (*table.low, *_chosen(other.low, rows)),
    )


def _chosen(column: Sequence[_Cell], rows: Sequence[int]) -> list[_Cell]:
    return [column[row] for row in rows]


def _measured(data: Path, split: str) -> DrumTable:
    splits, _ = load_splits(data, (split,))
    return measure_drums(make_hit_set(*splits[split]))


def main(
    model: Annotated[Path, typer.Argument(help="The model file.")],
    data: Annotated[Path, typer.Option("-d", "--data", help="A folder of drum hits.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write; it may be the same.")],
) -> None:
    """Describe the drums of DATA and write MODEL with them."""
    card = Generator.open(model).card
    drums = describe_drums(data)
    write_bytes(output, with_card(model.read_bytes(), replace(card, drums=drums)))
    typer.echo(f"{output}: {len(drums.kinds)} drums")


if __name__ == "__main__":
    run_program(main)

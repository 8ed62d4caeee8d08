"""`ghostnote evaluate --tools`: the sound tools judged on a split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostnote.bridge.cli.evaluate_progress import stages
from ghostnote.bridge.cli.terminal import echo

REPORT: Final = "tools.json"
TABLES: Final = "tools.md"


@dataclass(frozen=True)
class ToolsRequest:
    """Which tools are judged, and on what."""

    data: Path
    split: str
    output: Path
    model: Path | None = None
    only: tuple[str, ...] = ()
    """Their commands; empty for all."""
    seed: int = 0
    quick: bool = False


def run_tools_evaluation(request: ToolsRequest) -> None:
    """Judge tools under a progress bar, write the rows as JSON and Markdown, and print them."""
    import json

    import torch
    from rich.console import Console
    from rich.markdown import Markdown

    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
    from ghostnote.models.data.trial_set import load_split
    from ghostnote.models.evaluate.tools.rows import ToolSplit
    from ghostnote.models.evaluate.tools.run import evaluate_tools, render_tools

    generator = Generator.open(request.model)
    prepare_folder(request.output)
    # The tensors are small: more threads would only wait for each other.
    torch.set_num_threads(1)
    hits = load_split(request.data, request.split)
    per_class = 3 if request.quick else ToolSplit.per_class
    split = ToolSplit(hits, generator, request.output, request.seed, per_class)
    with stages() as stage:
        rows = evaluate_tools(split, stage, request.only)
    about = {
        "model": f"{generator.card.name} {generator.checksum[:12]}",
        "split": request.split,
        "hits": len(hits.files),
        "seed": request.seed,
    }
    report = {"about": about, "rows": [row.as_data() for row in rows]}
    write_bytes(request.output / REPORT, json.dumps(report, indent=1).encode())
    tables = render_tools(rows, about)
    write_bytes(request.output / TABLES, tables.encode())
    Console().print(Markdown(tables))
    echo(f"{request.output / REPORT}, with the table beside it")

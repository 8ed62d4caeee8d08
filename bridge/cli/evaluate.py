"""`ghostnote evaluate`: a model held against real drummers, as figures that anyone can make again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.errors import OutputError

if TYPE_CHECKING:
    from ghostnote.models.evaluate.player import Tick
    from ghostnote.models.evaluate.run import Question
    from ghostnote.models.evaluate.settings import EvaluationSettings

_REPORT, _TABLES = "report.json", "report.md"


def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL.onnx", help="The model; left out, the one that comes along."),
    ] = None,
    *,
    data: Annotated[
        Path, typer.Option(metavar="FOLDER", help="A folder of drum hits, with or without a manifest.")
    ],
    split: Annotated[str, typer.Option(help="Which of its hits: valid, test, train or all.")] = "valid",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where report, tables and figures go.")
    ] = Path("evaluation"),
    steps: Annotated[
        int | None,
        typer.Option(min=0, max=256, help="Network steps a stroke; left out, the model's default."),
    ] = None,
    peer: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Another generator's hits, beside the new sounds.")
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Another corpus whose train split stands for known sounds."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides samples and noise.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A first look, with wide intervals.")] = False,
) -> None:
    """Hold a model against a drummer's own strokes: spread, bias, judges, velocity and new sounds."""
    from dataclasses import replace

    from ghostnote.bridge.cli.extras import needs_extra

    with needs_extra("evaluate"):
        from ghostnote.models.evaluate.run import Question
        from ghostnote.models.evaluate.settings import QUICK, EvaluationSettings

        settings = replace(QUICK if quick else EvaluationSettings(), steps=steps, seed=seed)
        run_evaluation(model, Question(data, split, output, train, peer), settings)


def run_evaluation(model: Path | None, question: Question, settings: EvaluationSettings) -> None:
    """Evaluate under a progress bar, write report, tables and figures, and print the tables."""
    import json

    import torch
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.progress import Progress, TimeElapsedColumn

    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
    from ghostnote.models.evaluate.report import render
    from ghostnote.models.evaluate.run import evaluate as evaluation

    generator = Generator.open(model)
    if question.output.exists() and not question.output.is_dir():
        raise OutputError(
            f"cannot write {question.output}: it is a file, and the report is a folder of files"
        )
    prepare_folder(question.output)
    # The tensors are small: threads would wait for each other more than they would share.
    torch.set_num_threads(1)
    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=Console(stderr=True)) as bar:

        def stage(name: str) -> Tick:
            task = bar.add_task(name, total=None)
            return lambda done, total: bar.update(task, completed=done, total=total)

        report = evaluation(generator, question, settings, stage)
    write_bytes(question.output / _REPORT, json.dumps(report, indent=1).encode())
    tables = render(report)
    write_bytes(question.output / _TABLES, tables.encode())
    Console().print(Markdown(tables))
    typer.echo(f"{question.output / _REPORT}, with tables and figures beside it")

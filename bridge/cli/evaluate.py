"""`ghostnote evaluate`: a model compared with real drummers, in a report that anyone can reproduce."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli import options
from ghostnote.bridge.cli.evaluate_progress import stages
from ghostnote.bridge.cli.evaluate_sweep import run_sweep
from ghostnote.bridge.cli.evaluate_systems import SystemsRequest, run_systems_evaluation
from ghostnote.bridge.cli.evaluate_tools import ToolsRequest, run_tools_evaluation
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import InputError, OutputError
from ghostnote.bridge.io.output_guard import check_outputs

if TYPE_CHECKING:
    from ghostnote.models.evaluate.run import EvaluationRequest
    from ghostnote.models.evaluate.settings import EvaluationSettings

_REPORT, _TABLES = "report.json", "report.md"
_BESIDE: Final = {"--tools": ("--tool",), "--system": ("--steps",)}
"""What may be given beside an option that judges something else."""


def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL.onnx", help="The model; the default is the one that comes with ghostnote."),
    ] = None,
    *,
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="A folder of drum hits, with or without a manifest.")],
    split: Annotated[str, typer.Option(help="Which of its hits: valid, test, train or all.")] = "valid",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the report, tables and figures.")
    ] = Path("evaluation"),
    steps: Annotated[
        int | None, typer.Option(min=0, max=256, help="Network steps a stroke; the default is the model's own.")
    ] = None,
    peer: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Another generator's hits, to compare with the new sounds.")
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Another corpus, whose train split the new sounds are compared with."),
    ] = None,
    layers: Annotated[
        bool,
        typer.Option("--layers", help="Only drums with many recorded strokes: layers left out, and all strokes known."),
    ] = False,
    tools: Annotated[
        bool, typer.Option("--tools", help="Only the sound tools, each beside a baseline and a target.")
    ] = False,
    tool: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With --tools: only this one; may be given several times.")
    ] = None,
    system: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="Only the new drums of a run of 'train --system'; may be repeated."),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=N,N…", help="Once for each value, as seed=0,1,2 or steps=1,2; may be repeated."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="With --sweep: a Dask scheduler's address; by default this machine."),
    ] = None,
    jobs: options.Jobs = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of samples and noise.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A first look, with wide intervals.")] = False,
) -> None:
    """Compare a model with a drummer's own strokes: diversity, bias, C2ST accuracy, velocity and new sounds."""
    from dataclasses import replace

    from ghostnote.bridge.cli.extras import needs_extra

    given = {
        "--layers": layers, "--tools": tools, "--system": system, "--sweep": sweep, "--peer": peer, "--train": train,
        "--tool": tool, "--steps": steps, "--cluster": cluster, "--jobs": jobs,
    }  # fmt: skip
    _check_options([name for name, value in given.items() if value not in (None, False, 0, [])])
    check_outputs((output / _REPORT, output / _TABLES), (model,))
    with needs_extra("evaluate"):
        if tools:
            run_tools_evaluation(ToolsRequest(data, split, output, model, tuple(tool or ()), seed, quick))
            return
        if system:
            run_systems_evaluation(SystemsRequest(data, split, output, tuple(system), model, steps, seed, quick))
            return
        from ghostnote.models.evaluate.run import EvaluationRequest
        from ghostnote.models.evaluate.settings import QUICK, EvaluationSettings

        settings = replace(QUICK if quick else EvaluationSettings(), steps=steps, seed=seed)
        request = EvaluationRequest(data, split, output, train, layers, peer)
        if sweep:
            run_sweep(model, request, settings, sweep, cluster, jobs or os.cpu_count() or 1)
        else:
            run_evaluation(model, request, settings)


def _check_options(given: list[str]) -> None:
    """Raise `InputError` for options that exclude each other, or that do nothing without another."""
    for alone, reason in (("--tools", "it judges the sound tools alone"), ("--system", "it judges new drums alone")):
        others = [name for name in given if name not in (alone, *_BESIDE[alone])]
        if alone in given and others:
            raise InputError(f"{others[0]} is given with {alone}: {reason}, so leave one of them out")
    for name, needed in (("--tool", "--tools"), ("--cluster", "--sweep"), ("--jobs", "--sweep")):
        if name in given and needed not in given:
            raise InputError(f"{name} is given without {needed}, which it belongs to: add it")


def run_evaluation(model: Path | None, request: EvaluationRequest, settings: EvaluationSettings) -> None:
    """Evaluate with a progress bar, write report, tables and figures, and print the tables."""
    import json

    import torch
    from rich.console import Console
    from rich.markdown import Markdown

    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.io.atomic_file import prepare_folder, write_bytes
    from ghostnote.models.evaluate.report import render
    from ghostnote.models.evaluate.run import evaluate as evaluation

    generator = Generator.open(model)
    if request.output.exists() and not request.output.is_dir():
        raise OutputError(f"cannot write {request.output}: it is a file, and the report is a folder of files")
    prepare_folder(request.output)
    # The tensors are small: more threads would only wait for each other.
    torch.set_num_threads(1)
    with stages() as stage:
        report = evaluation(generator, request, settings, stage)
    write_bytes(request.output / _REPORT, json.dumps(report, indent=1).encode())
    tables = render(report)
    write_bytes(request.output / _TABLES, tables.encode())
    Console().print(Markdown(tables))
    echo(f"{request.output / _REPORT}, with tables and figures beside it")

"""Options that `train`, `distill` and `finetune` share."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.io.output_guard import check_outputs

Run = Annotated[
    Path, typer.Option("--output", "-o", metavar="RUN", help="The run's folder; one that exists is resumed.")
]
Trained = Annotated[Path, typer.Argument(metavar="TRAINED", help="A trained run's folder, or its model.safetensors.")]
Data = Annotated[Path, typer.Option("--data", "-d", metavar="DATA", help="A folder of drum hits.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Train for so long, over all sessions.")]
BatchSize = Annotated[int, typer.Option(min=1, max=65_536, help="Examples a step, on each device.")]
Draws = Annotated[int, typer.Option(min=1, max=64, help="Steps that share a batch's examples, each with new noise.")]
LearningRate = Annotated[float, typer.Option(min=1e-7, max=1, help="Peak of the cosine schedule.")]
Pairs = Annotated[float, typer.Option(min=0, max=1, help="Share of examples with a reference stroke.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides initial weights, draws and noise.")]
Compiled = Annotated[
    bool, typer.Option("--compile/--no-compile", help="Fuse the networks first: pays in runs of an hour or more.")
]
Calibration = Annotated[
    Path | None, typer.Option(metavar="REPORT.json", help="A report of 'evaluate', for the amounts it found.")
]


def check_run(run: Path, *inputs: Path | None) -> None:
    """Refuse a run whose weights would replace those of an input, which is a run, its weights, or another file."""
    weights = "model.safetensors"
    check_outputs((run / weights,), (each / weights if each and each.is_dir() else each for each in inputs))

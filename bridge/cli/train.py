"""The commands that need torch: each says so where it is missing, and none imports it before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ghostnote.bridge.bench.report import Measurement

from ghostnote.bridge.errors import GhostnoteError, InputError, MissingExtraError

_EXTRA_MODULES = ("torch", "onnx", "onnxscript", "safetensors", "matplotlib")


class ParityError(GhostnoteError):
    """The exported graph does not compute what torch computes."""


@contextmanager
def needs_extra(command: str) -> Iterator[None]:
    """Explain a missing optional module by the extra that has it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA_MODULES:
            raise
        raise MissingExtraError(f"'ghostnote {command}'", "train") from error


def synth(
    output: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder for the corpus.")],
    drums: Annotated[int, typer.Option("-n", min=1, max=10_000, help="Drums of each class.")] = 4,
    strokes: Annotated[int, typer.Option(min=1, max=1000, help="Strokes of each drum.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Which drums.")] = 0,
) -> None:
    """Synthesize a small corpus of drums with true repeats: something to train on without any download."""
    from rich.console import Console
    from rich.progress import Progress

    from ghostnote.models.data.synthetic.corpus import make_corpus

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Synthesizing", total=None)
        count = make_corpus(
            output, drums, strokes, seed, lambda done, total: bar.update(task, completed=done, total=total)
        )
    typer.echo(f"{count} hits in {output}")


def train(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="A folder of drum hits, with or without a manifest.")
    ],
    run: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="RUN", help="The run's folder; one that exists is taken up."),
    ],
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Train for so long, over all sittings.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Or for so many optimiser steps.")] = None,
    batch: Annotated[int, typer.Option(min=1, max=65_536, help="Examples a step, on each device.")] = 32,
    draws: Annotated[
        int, typer.Option(min=1, max=64, help="Steps that share a batch's examples, each with new noise.")
    ] = 3,
    learning_rate: Annotated[
        float, typer.Option(min=1e-7, max=1, help="Peak of the cosine schedule.")
    ] = 5e-4,
    pairs: Annotated[
        float, typer.Option(min=0, max=1, help="Share of examples with a reference stroke.")
    ] = 0.6,
    seed: Annotated[int, typer.Option(min=0, help="Decides initial weights and draws.")] = 0,
    initial: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Start a new run from the weights of another.")
    ] = None,
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile/--no-compile", help="Fuse the network first: pays in runs of an hour or more."
        ),
    ] = False,
    preview_every: Annotated[int, typer.Option(min=1, help="Steps between grids of generated hits.")] = 2500,
    shapes_alone: Annotated[
        bool,
        typer.Option("--shapes-alone", help="Train only what new drums are drawn from, not strokes."),
    ] = False,
) -> None:
    """Train a model on a folder of drum hits; a run that was stopped goes on where it was."""
    with needs_extra("train"):
        from ghostnote.bridge.cli.train_progress import run_training
        from ghostnote.models.train.shape_objective import SHAPES_ALONE
        from ghostnote.models.train.trainer import Task, TrainSettings

        settings = TrainSettings(
            steps=steps,
            minutes=minutes,
            batch=batch,
            draws=draws,
            learning_rate=learning_rate,
            pair_share=0.0 if shapes_alone else pairs,
            seed=seed,
            compile=compiled,
            preview_every=preview_every,
        )
        run_training(data, run, settings, initial, SHAPES_ALONE if shapes_alone else Task())


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or its model.safetensors.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.onnx", help="The model file to write.")
    ],
    name: Annotated[str, typer.Option(help="What the model is called on its card.")] = "ghostnote",
    half: Annotated[
        bool,
        typer.Option(
            "--half/--full", help="Store the sound network as fp16: a smaller file, the same sound."
        ),
    ] = True,
    eight_bit: Annotated[
        bool,
        typer.Option("--int8", help="Let the sound network compute in 8 bits: faster, very nearly the same."),
    ] = False,
    default_steps: Annotated[
        int, typer.Option(min=1, max=64, help="Steps for a stroke, where none are asked.")
    ] = 2,
    shape_steps: Annotated[int, typer.Option(min=1, max=256, help="Steps for a new drum's shape.")] = 32,
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="REPORT.json", help="A report of 'evaluate', for the amounts it found."),
    ] = None,
) -> None:
    """Turn a trained run into one model file, and check that it computes the same."""
    with needs_extra("export"):
        from ghostnote.export.export import ExportSettings, make_card, read_amounts, write_onnx
        from ghostnote.export.parity import compare, parity_table, tolerance
        from ghostnote.models.nets.checkpoint import load_model

        amounts = read_amounts(calibration) if calibration else ExportSettings().amounts
        settings = ExportSettings(name, half, default_steps, shape_steps, amounts)
        model, facts = load_model(run)
        write_onnx(model, make_card(model, facts, settings), output, half, eight_bit)
        cases = compare(model, output)
    typer.echo(parity_table(cases, half, eight_bit))
    worst = max(case.error for case in cases)
    if worst > (limit := tolerance(half, eight_bit)):
        raise ParityError(
            f"{output} differs from torch by {worst:.1e}, more than {limit:.0e}: do not ship it"
        )
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


def figure(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.png", help="The picture to write.")],
    hits: Annotated[
        list[Path] | None,
        typer.Argument(metavar="HIT…", help="Sound files; without any, drums that the model invents."),
    ] = None,
    drum_class: Annotated[
        str,
        typer.Option("--class", "-c", metavar="CLASS", help="Kind of drum, where the name does not say it."),
    ] = "snare",
    variations: Annotated[int, typer.Option("-n", min=1, max=12, help="Variations beside each hit.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Which drums and variations.")] = 1,
    steps: Annotated[int | None, typer.Option(min=0, max=64, help="Network steps a hit.")] = None,
    levels: Annotated[
        bool,
        typer.Option("--levels", help="One variation, as long as the hit, and the level of each channel."),
    ] = False,
    width: Annotated[float, typer.Option(min=0, max=1, help="Stereo width with --levels.")] = 0.0,
    model: Annotated[Path | None, typer.Option(metavar="FILE.onnx", help="Another model.")] = None,
) -> None:
    """Draw a hit and its next strokes: waveforms and spectrograms, side by side."""
    with needs_extra("figure"):
        from ghostnote.bridge.batch.settings import BatchSettings
        from ghostnote.models.plots.variations import draw_long, draw_variations

        if levels:
            if not hits:
                raise InputError("--levels is given without a sound file: name one or more")
            settings = BatchSettings(width=width, seed=seed, steps=2 if steps is None else steps)
            draw_long(output, hits, drum_class, settings, model)
            typer.echo(str(output))
            return
        draw_variations(output, hits or [], drum_class, variations, seed, steps, model)
    typer.echo(str(output))


def measure_peer(model: Path | None, reports: list[Path]) -> list[Measurement]:
    """Measure a hit beside tiny-audio-diffusion's: for `ghostnote bench --peer`."""
    with needs_extra("bench --peer"):
        from ghostnote.export.benchmark.peer import measure

        return measure(model, reports)


def measure_training() -> list[Measurement]:
    """Measure training on this machine: for `ghostnote bench --train`."""
    with needs_extra("bench --train"):
        from ghostnote.export.benchmark.training import measure

        return measure()

"""`ghostnote export`: from a trained run to one model file."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.cli.extras import needs_extra
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.io.output_guard import check_outputs


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder, or its model.safetensors.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.onnx", help="The model file to write.")],
    name: Annotated[str, typer.Option(help="What the model is called on its card.")] = "ghostnote",
    half: Annotated[
        bool, typer.Option("--half/--full", help="Store the sound network as fp16: a smaller file, the same sound.")
    ] = True,
    eight_bit: Annotated[
        bool, typer.Option("--int8", help="Let the sound network compute in 8 bits: faster, very nearly the same.")
    ] = False,
    default_steps: Annotated[int, typer.Option(min=1, max=64, help="Steps for a stroke, where none are asked.")] = 2,
    shape_steps: Annotated[int, typer.Option(min=1, max=256, help="Steps for a new drum's shape.")] = 32,
    calibration: Annotated[
        Path | None, typer.Option(metavar="REPORT.json", help="A report of 'evaluate', for the amounts it found.")
    ] = None,
) -> None:
    """Turn a trained run into one model file, written once ONNX Runtime computes what torch does."""
    check_outputs((output,), (run, run / "model.safetensors", calibration))
    with needs_extra("export"):
        from ghostnote.export.export import ExportSettings, export_model, make_card, read_amounts
        from ghostnote.models.nets.checkpoint import load_model

        amounts = read_amounts(calibration) if calibration else ExportSettings().amounts
        settings = ExportSettings(name, half, default_steps, shape_steps, amounts)
        model, facts = load_model(run)
        report = export_model(model, make_card(model, facts, settings), output, half, eight_bit)
    typer.echo(report)
    echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")

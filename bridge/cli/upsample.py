"""`ghostnote upsample`: the top that a low rate or a lossy format cut away comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import options, tool_options

if TYPE_CHECKING:
    from ghostnote.bridge.tools.files import Audio, FileHit, ToolResult
    from ghostnote.bridge.tools.upsample import Upsampled


def upsample(
    paths: tool_options.Paths,
    output: tool_options.Output = None,
    above: Annotated[
        float | None, typer.Option(metavar="HZ", help="Make all above this anew; by default where a cut is found.")
    ] = None,
    fill: Annotated[
        str, typer.Option(metavar="WHAT", help="What the top is made of: noise, replicated or model.")
    ] = "noise",
    drum_class: tool_options.DrumClass = None,
    file_format: tool_options.Format = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    seed: tool_options.Seed = 1,
    steps: tool_options.Steps = None,
    model: options.Model = None,
    figure: tool_options.Figure = None,
) -> None:
    """Give hits of a low rate, or from a lossy format, their top back; below the cut they stay as they are."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.tools import upsample as tools
    from ghostnote.bridge.tools.files import ToolResult
    from ghostnote.bridge.tools.output_form import OutputForm

    filling = next((name for name in tools.FILLINGS if name == fill), None)
    if filling is None:
        raise InputError(f"--fill {fill}: choose one of {', '.join(tools.FILLINGS)}")
    generator = Generator.open(model) if filling == "model" else None

    def tool(hit: FileHit) -> list[ToolResult]:
        made = tools.upsample(
            hit.audio,
            hit.rate,
            hit.guess.drum_class,
            above=above,
            filling=filling,
            generator=generator,
            seed=seed,
            steps=steps,
        )
        note = f"{hit.path}: new above {made.cut_hz:.0f} Hz"
        baseline = _baseline(hit, made, above) if figure else None
        return [ToolResult(made.audio, note=note, rate=made.rate, baseline=baseline)]

    form = OutputForm("upsample", output, file_format, bits, rate, drum_class)
    tool_options.run_tool(tool_options.ToolRun(paths, form, figure), tool)


def _baseline(hit: FileHit, made: Upsampled, above: float | None) -> tuple[str, Audio]:
    """Return what band replication makes of the same: of a hit that has a top what lies below the cut."""
    from ghostnote.bridge.dsp.conversion import resample
    from ghostnote.bridge.dsp.partials import RATE
    from ghostnote.bridge.tools.spectral_cut import band_filtered
    from ghostnote.bridge.tools.upsample import replicated_plainly

    # Bands are moved at the rate of the model, to which all that is drawn comes.
    whole = resample(hit.audio, hit.rate, RATE)
    low = whole if above is None else band_filtered(whole, RATE, made.cut_hz, high=False)
    return "band replication", resample(replicated_plainly(low, made.cut_hz), RATE, made.rate)

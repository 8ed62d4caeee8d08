"""`ghostnote widen`: a mono hit becomes wide, and stays what it was in mono."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import options, tool_options

if TYPE_CHECKING:
    from ghostnote.bridge.tools.files import FileHit, ToolResult


def widen(
    paths: tool_options.Paths,
    output: tool_options.Output = None,
    width: Annotated[
        float, typer.Option("--width", "-w", min=0, max=1, help="0 as it is, 1 left and right uncorrelated.")
    ] = 0.7,
    mono_below: Annotated[
        float, typer.Option(metavar="HZ", min=20, max=2000, help="Below this both sides are the same.")
    ] = 120.0,
    exact_mono: Annotated[
        bool, typer.Option("--exact-mono", help="The mean of both sides is the hit itself, not a variation of it.")
    ] = False,
    drum_class: tool_options.DrumClass = None,
    file_format: tool_options.Format = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    seed: tool_options.Seed = 1,
    steps: tool_options.Steps = None,
    model: options.Model = None,
    figure: tool_options.Figure = None,
) -> None:
    """Make hits wide: two variations of each as left and right, as loud in mono as before."""
    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.tools import widen as tools
    from ghostnote.bridge.tools.files import ToolResult
    from ghostnote.bridge.tools.output_form import OutputForm

    generator = Generator.open(model)
    wanted = tools.Width(width, mono_below, exact_mono)

    def tool(hit: FileHit) -> list[ToolResult]:
        drum_class = hit.guess.drum_class
        wide = tools.widen(hit.audio, hit.rate, drum_class, wanted, generator=generator, seed=seed, steps=steps)
        return [ToolResult(wide)]

    form = OutputForm("widen", output, file_format, bits, rate, drum_class)
    tool_options.run_tool(tool_options.ToolRun(paths, form, figure), tool)

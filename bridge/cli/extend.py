"""`ghostnote extend`: tails that were cut ring on."""

from typing import Annotated

import typer

from ghostnote.bridge.cli import tool_options


def extend(
    paths: tool_options.Paths,
    seconds: Annotated[float, typer.Option(min=0.05, max=60, help="How long the hit lasts afterwards.")] = 3.0,
    output: tool_options.Output = None,
    drum_class: tool_options.DrumClass = None,
    file_format: tool_options.Format = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    seed: tool_options.Seed = 1,
    figure: tool_options.Figure = None,
) -> None:
    """Let hits that were cut ring on: their partials as they decay, and noise of the rest's spectrum."""
    from ghostnote.bridge.tools.extend import extend as extended
    from ghostnote.bridge.tools.files import FileHit, ToolResult
    from ghostnote.bridge.tools.output_form import OutputForm

    form = OutputForm("extend", output, file_format, bits, rate, drum_class)

    def tool(hit: FileHit) -> list[ToolResult]:
        return [ToolResult(extended(hit.audio, hit.rate, seconds, seed=seed))]

    tool_options.run_tool(tool_options.ToolRun(paths, form, figure), tool)

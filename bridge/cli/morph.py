"""`ghostnote morph` and `ghostnote transition`: what lies between two hits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostnote.bridge.cli import tool_options
from ghostnote.bridge.cli.terminal import echo

if TYPE_CHECKING:
    from ghostnote.bridge.tools.files import FileHit

First = Annotated[Path, typer.Argument(metavar="A", help="A hit, or a folder of hits that each go to B.")]
Second = Annotated[Path, typer.Argument(metavar="B", help="The hit that they go to.")]


def morph(
    first: First,
    second: Second,
    output: tool_options.Output = None,
    count: Annotated[int, typer.Option("-n", min=1, max=99, help="How many drums, with A and B; 1: half-way.")] = 7,
    curve: Annotated[
        float, typer.Option(min=0.1, max=10, help="Above 1: nearer to A for longer; below 1: nearer to B.")
    ] = 1.0,
    drum_class: tool_options.DrumClass = None,
    file_format: tool_options.Format = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    figure: tool_options.Figure = None,
) -> None:
    """Make drums between two hits: each with one onset and one set of partials, where a crossfade has two."""
    from ghostnote.bridge.tools.baselines import crossfades
    from ghostnote.bridge.tools.files import ToolResult
    from ghostnote.bridge.tools.morph import morph_steps
    from ghostnote.bridge.tools.output_form import OutputForm

    other = _second(second)
    form = OutputForm("morph", output, file_format, bits, rate, drum_class)

    def tool(hit: FileHit) -> list[ToolResult]:
        number, wanted = (3, slice(1, 2)) if count == 1 else (count, slice(None))
        steps = morph_steps(hit.audio, other.at(hit.rate), hit.rate, number, curve=curve)
        labels = [f"{at:0{len(str(count))}}" for at in range(1, count + 1)]
        if figure is None:
            return [ToolResult(step, label) for label, step in zip(labels, steps[wanted], strict=True)]
        plain = [("crossfade", sound) for sound in crossfades(steps[0], steps[-1], number, curve)]
        return [
            ToolResult(*each[:2], baseline=each[2]) for each in zip(steps[wanted], labels, plain[wanted], strict=True)
        ]

    tool_options.run_tool(tool_options.ToolRun([first], form, figure), tool)


def transition(
    first: First,
    second: Second,
    output: tool_options.Output = None,
    start: Annotated[float, typer.Option(min=0, max=10, help="When A begins to change, in seconds.")] = 0.02,
    seconds: Annotated[float, typer.Option(min=0.001, max=60, help="How long it then takes to become B.")] = 0.2,
    drum_class: tool_options.DrumClass = None,
    file_format: tool_options.Format = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    figure: tool_options.Figure = None,
) -> None:
    """Let one hit go over into another: it begins as A and ends as B, and its partials glide."""
    from ghostnote.bridge.tools.baselines import crossfaded
    from ghostnote.bridge.tools.files import ToolResult
    from ghostnote.bridge.tools.morph import morph_steps
    from ghostnote.bridge.tools.morph import transition as joined
    from ghostnote.bridge.tools.output_form import OutputForm

    other = _second(second)
    form = OutputForm("transition", output, file_format, bits, rate, drum_class)

    def tool(hit: FileHit) -> list[ToolResult]:
        made = joined(hit.audio, other.at(hit.rate), hit.rate, start=start, seconds=seconds)
        if figure is None:
            return [ToolResult(made)]
        first, last = morph_steps(hit.audio, other.at(hit.rate), hit.rate, 2)
        return [ToolResult(made, baseline=("crossfade", crossfaded(first, last, hit.rate, start, seconds)))]

    tool_options.run_tool(tool_options.ToolRun([first], form, figure), tool)


def _second(path: Path) -> FileHit:
    """Return the hit that others go to, and say what it is; `AudioFileError` where it cannot be read."""
    from ghostnote.bridge.io.audio_file import read_audio
    from ghostnote.bridge.tools.files import FileHit

    hit = FileHit(path, *read_audio(path))
    echo(f"{path}: {hit.summary}")
    return hit

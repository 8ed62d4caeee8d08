"""`ghostnote transfer`: a hit becomes another kind of drum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli import drum_options, options, tool_options
from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.kinds import KIND_NAMES

if TYPE_CHECKING:
    from ghostnote.bridge.tools.files import FileHit, ToolResult

_TO_HELP: Final = f"What it becomes. Classes: {', '.join(CLASS_NAMES)}. Kinds: {', '.join(KIND_NAMES)}."


def transfer(
    paths: tool_options.Paths,
    to: Annotated[
        str, typer.Option("--to", metavar="CLASS|KIND", help=_TO_HELP, callback=drum_options.drum_given, is_eager=True)
    ],
    strength: Annotated[float, typer.Option(min=0, max=1, help="0 is the hit, 1 the other drum.")] = 0.8,
    keep: Annotated[str, typer.Option(metavar="PARTS", help="What stays: pitch, envelope, with a comma.")] = "",
    output: tool_options.Output = None,
    count: tool_options.Count = 1,
    drum_class: tool_options.DrumClass = None,
    file_format: tool_options.Format = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    seed: tool_options.Seed = 1,
    steps: tool_options.Steps = None,
    guidance: Annotated[float, typer.Option(min=0, max=10, help="Above 1: more typical of the other drum.")] = 1.0,
    figure: tool_options.Figure = None,
    model: options.Model = None,
) -> None:
    """Make hits into another kind of drum: a kick into a snare, a mouth sound or a desk knock into a drum."""
    from dataclasses import replace

    from ghostnote.bridge.inference.model import Generator
    from ghostnote.bridge.tools.files import ToolResult
    from ghostnote.bridge.tools.output_form import OutputForm
    from ghostnote.bridge.tools.transfer import TransferSettings, check_transfer, target_of
    from ghostnote.bridge.tools.transfer import transfer as transferred

    name, kind = target_of(to)
    parts = tuple(part.strip() for part in keep.split(",") if part.strip())
    settings = TransferSettings(name, kind, strength, parts, seed, steps, guidance)
    check_transfer(settings)
    generator = Generator.open(model)

    def tool(hit: FileHit) -> list[ToolResult]:
        every = [replace(settings, seed=seed + number) for number in range(count if strength else 1)]
        note = f"1 of {count}: at strength 0 all would be the hit itself" if len(every) < count else ""
        return [ToolResult(transferred(hit.audio, hit.rate, each, generator), note=note) for each in every]

    form = OutputForm("transfer", output, file_format, bits, rate, drum_class)
    tool_options.run_tool(tool_options.ToolRun(paths, form, figure), tool)

"""`ghostnote repair`: clicks, dropouts, clipped peaks and cut attacks of hits are mended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ghostnote.bridge.cli import tool_options
from ghostnote.bridge.io.printable import counted

if TYPE_CHECKING:
    from ghostnote.bridge.tools.files import FileHit, ToolResult
    from ghostnote.bridge.tools.repair import Repaired

_NOUNS: Final = {"clipped": "clipped peak", "given": "part"}
"""What one of a kind of damage is called, where that is not the kind's name."""


def repair(
    paths: tool_options.Paths,
    output: tool_options.Output = None,
    start: Annotated[
        float | None, typer.Option("--from", metavar="S", min=0, help="Mend from here, in seconds; needs --to.")
    ] = None,
    end: Annotated[float | None, typer.Option("--to", metavar="S", min=0, help="Mend up to here, in seconds.")] = None,
    drum_class: tool_options.DrumClass = None,
    file_format: tool_options.Format = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    seed: tool_options.Seed = 1,
    figure: tool_options.Figure = None,
) -> None:
    """Mend hits: clicks, dropouts, clipped peaks and cut attacks, found by itself or given; the rest stays."""
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.tools import repair as tools
    from ghostnote.bridge.tools.baselines import interpolated
    from ghostnote.bridge.tools.files import ToolResult
    from ghostnote.bridge.tools.output_form import OutputForm

    if (start is None) != (end is None):
        raise InputError("of --from and --to only one is given: give both, or neither to find what is broken")

    def tool(hit: FileHit) -> list[ToolResult]:
        mended = tools.repair(hit.audio, hit.rate, start=start, end=end, seed=seed)
        plain = ("linear interpolation", interpolated(hit.audio, mended.damage)) if figure else None
        return [ToolResult(mended.audio, note=f"{hit.path}: {_said(mended, hit.rate)}", baseline=plain)]

    form = OutputForm("repair", output, file_format, bits, rate, drum_class)
    tool_options.run_tool(tool_options.ToolRun(paths, form, figure), tool)


def _said(mended: Repaired, rate: int) -> str:
    """Return what was mended, in words."""
    found = [damage for channel in mended.damage for damage in channel]
    if not found:
        return "nothing broken is found, so its sound stays as it is; give --from and --to to mend a part"
    counts = Counter(damage.kind for damage in found)
    kinds = ", ".join(counted(count, _NOUNS.get(kind, kind)) for kind, count in counts.items())
    first = ", ".join(f"{damage.kind} at {damage.start / rate:.4f} s" for damage in found[:4])
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    return f"mended {kinds}: {first}{more}"

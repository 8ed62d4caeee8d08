"""`ghostnote tweak`: sliders for single hits."""

from typing import Annotated

import typer

from ghostnote.bridge.cli import tool_options


def tweak(
    paths: tool_options.Paths,
    output: tool_options.Output = None,
    bright: Annotated[float | None, typer.Option(min=-2, max=2, help="Highs, above 4 kHz.")] = None,
    boomy: Annotated[float | None, typer.Option(min=-2, max=2, help="Lows, below 120 Hz.")] = None,
    warm: Annotated[float | None, typer.Option(min=-2, max=2, help="150 to 500 Hz.")] = None,
    noisy: Annotated[float | None, typer.Option(min=-2, max=2, help="Noise, beside what rings.")] = None,
    punch: Annotated[float | None, typer.Option(min=-2, max=2, help="The attack, beside what follows.")] = None,
    hard: Annotated[float | None, typer.Option(min=-2, max=2, help="The highs of the attack.")] = None,
    longer: Annotated[
        float | None, typer.Option(min=-2, max=2, help="Longer tail: its decay times 1.3 a step.")
    ] = None,
    tighter: Annotated[
        float | None, typer.Option(min=-2, max=2, help="Shorter body: each step divides its decay by 1.2.")
    ] = None,
    rough: Annotated[float | None, typer.Option(min=-2, max=2, help="How much the level flutters.")] = None,
    mask: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="What to keep: '0-20ms', '200-2000hz', '0-50ms@4khz-'; several with commas."),
    ] = None,
    drum_class: tool_options.DrumClass = None,
    file_format: tool_options.Format = None,
    bits: tool_options.Bits = None,
    rate: tool_options.Rate = None,
    seed: tool_options.Seed = 1,
    figure: tool_options.Figure = None,
) -> None:
    """Change one quality of hits and keep the others: sliders from -2 to 2, where 0 leaves it as it is."""
    from ghostnote.bridge.dsp.sliders import Sliders
    from ghostnote.bridge.errors import InputError
    from ghostnote.bridge.tools.files import FileHit, ToolResult
    from ghostnote.bridge.tools.mask import parse_mask
    from ghostnote.bridge.tools.output_form import OutputForm
    from ghostnote.bridge.tools.tweak import tweak as tweaked

    given = {
        "bright": bright,
        "boomy": boomy,
        "warm": warm,
        "noisy": noisy,
        "punch": punch,
        "hard": hard,
        "longer": longer,
        "tighter": tighter,
        "rough": rough,
    }
    moved = {name: value for name, value in given.items() if value is not None}
    if not moved:
        raise InputError("no slider is given: say what to change, as in --bright 1 --tighter -0.5")
    sliders = Sliders(**moved)
    keep = parse_mask(mask) if mask else None
    form = OutputForm("tweak", output, file_format, bits, rate, drum_class)

    def tool(hit: FileHit) -> list[ToolResult]:
        return [ToolResult(tweaked(hit.audio, hit.rate, sliders, mask=keep, seed=seed))]

    tool_options.run_tool(tool_options.ToolRun(paths, form, figure), tool)

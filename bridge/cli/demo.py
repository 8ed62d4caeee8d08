"""`ghostnote demo`: something to hear right after the installation."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.cli.render import print_report, run_with_bar


def demo(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="OUT.wav", help="The mix; its stems go into a folder beside it."
        ),
    ] = Path("demo.wav"),
    seed: Annotated[int | None, typer.Option(min=0, help="Another take: another seed for every pad.")] = None,
    rate: Annotated[
        int, typer.Option(min=8000, max=192_000, help="Sample rate of what is written, in Hz.")
    ] = 48_000,
    jobs: Annotated[int, typer.Option(min=0, max=64, help="Processes that make hits; 0 chooses.")] = 0,
) -> None:
    """Render a four-bar groove with the default kit: a mix, and the stems beside it."""
    from ghostnote.bridge.kit.kit import default_kit, with_settings
    from ghostnote.bridge.midi.demo_groove import groove
    from ghostnote.bridge.render.offline import RenderSettings

    kit = with_settings(default_kit(), seed=seed)
    settings = RenderSettings(stems=output.with_name(f"{output.stem}_stems"), jobs=jobs or None)
    print_report(run_with_bar(groove(rate), kit, output, settings), kit)

"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path | None, typer.Option(metavar="FILE.onnx", help="Another model than the one that ghostnote ships.")
]
Rate = Annotated[int, typer.Option(min=8000, max=192_000, help="Sample rate of the files, in Hz.")]
Jobs = Annotated[int, typer.Option(min=0, max=64, help="Processes at work; 0 chooses for this machine.")]
TakeSeed = Annotated[int | None, typer.Option(min=0, help="Another take: a new seed for every pad.")]

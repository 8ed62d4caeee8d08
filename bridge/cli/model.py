"""`ghostnote model`: what is in a model file."""

from pathlib import Path
from typing import Annotated

import typer

from ghostnote.bridge.io.printable import printable

app = typer.Typer(no_args_is_help=True, help="Look at model files.")


@app.callback()
def _group() -> None:
    """Make `info` a subcommand, though it is the only one."""


@app.command()
def info(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE.onnx", help="A model; by default the one that ghostnote ships.")
    ] = None,
) -> None:
    """Print a model's card: what it plays, how it was trained, and who made the recordings."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ghostnote.bridge.inference.model import Generator

    generator = Generator.open(file)
    card = generator.card
    table = Table(show_header=False, box=None)
    table.add_row("name", Text(printable(card.name)))
    table.add_row("format", f"{card.format}, checksum {generator.checksum[:16]}…, intact: undamaged, whoever made it")
    table.add_row("hit", f"{card.hit_frames} frames at {card.rate} Hz ({card.hit_frames / card.rate:.3f} s)")
    table.add_row("steps", f"{card.default_steps} for a stroke, {card.shape_steps} for a new drum's shape")
    table.add_row("amounts", _by_class(card.classes, card.amounts))
    table.add_row("level spread", _by_class(card.classes, card.level_spread_db, " dB"))
    table.add_row("attack spread", _by_class(card.classes, card.attack_spread_db, " dB"))
    for name, value in card.training.items():
        table.add_row(Text(printable(f"training: {name}")), Text(printable(str(value))))
    table.add_row("credits", Text("\n".join(map(printable, card.credits)) or "none given"))
    Console().print(table)


def _by_class(classes: tuple[str, ...], values: tuple[float, ...], unit: str = "") -> str:
    named = zip((*classes, "any"), values, strict=True)
    return ", ".join(f"{name} {value:.2f}{unit}" for name, value in named)

"""`ghostnote osc`: the table of OSC addresses."""

import typer


def osc() -> None:
    """Print every OSC address, its arguments and what it does."""
    from ghostnote.bridge.live.osc.addresses import ADDRESSES, PAD, ROOT, SENT

    rows = [(f"{ROOT}/{a.path}", a.arguments, a.about) for a in ADDRESSES]
    typer.echo(
        f"{PAD} is a pad's name in lower case, with _ for all but letters and digits; patterns work too."
    )
    typer.echo("Numbers may be int, float or bool; a velocity is 0 to 127, or a float up to 1.")
    _print(rows)
    typer.echo("\nSent to subscribers:")
    _print([(f"{ROOT}/{path}", arguments, about) for path, arguments, about in SENT])


def _print(rows: list[tuple[str, str, str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for address, arguments, about in rows:
        typer.echo(f"{address:{widths[0]}}  {arguments:{widths[1]}}  {about}")

"""`ghostnote osc`: the reference of OSC addresses."""

from typing import Annotated

import typer

_NOTES = (
    "{pad} is a pad's name in lower case, with _ for all but letters and digits; patterns work too.",
    "Numbers may be int, float or bool; a velocity is 0 to 127, or a float or bool up to 1.",
    "Where no argument is taken, the number or bool that a button sends is ignored.",
)
_INTRO = """# OSC

`ghostnote live` listens for OSC messages on UDP port 9000 of this computer. `--osc HOST:PORT` chooses another address,
`--osc-allow ADDRESS` lets other computers send, and `--osc off` closes it.

- {notes}
- An argument in brackets may be left out. A setting without its value replies the present one.
- What is wrong with a message is replied to its sender as `{root}/error`.
- A bundle with a time is carried out then; notes are on time to the frame. A minute ahead is the most.
- {work} packets and messages may come a second, {burst} at once; a pattern counts for all that it matches. More are
  left out and counted as `osc_shed` in the status.

For example, with `oscsend` and `oscdump` of liblo:

```
oscsend 127.0.0.1 9000 {root}/hit si kick 100
oscsend 127.0.0.1 9000 {root}/pad/snare/amount f 0.5
oscdump 7770 &
oscsend 127.0.0.1 9000 {root}/subscribe fi 10 7770
```

"""
_HEAD = ("address", "arguments", "what it does")

Rows = list[tuple[str, str, str]]


def osc(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print it as a page, as in docs/osc.md.")] = False,
) -> None:
    """Print every OSC address, its arguments and what it does."""
    from ghostnote.bridge.live.osc.addresses import ADDRESSES, PAD, SENT
    from ghostnote.bridge.live.osc.server import BURST_WORK, WORK_A_SECOND
    from ghostnote.bridge.live.osc.subscribers import ROOT

    received = [(f"{ROOT}/{a.path}", a.arguments, a.about) for a in ADDRESSES]
    sent = [(f"{ROOT}/{path}", arguments, about) for path, arguments, about in SENT]
    notes = [note.format(pad=PAD) for note in _NOTES]
    if markdown:
        page = _INTRO.format(notes="\n- ".join(notes), root=ROOT, work=WORK_A_SECOND, burst=BURST_WORK)
        tables = f"## Messages in\n\n{_table(received)}\n\n## Sent to subscribers\n\n{_table(sent)}"
        changes = "\n\nSubscribers are sent every change of a setting, too, under the address that sets it."
        typer.echo(f"{page}{tables}{changes}")
        return
    typer.echo("\n".join((*notes, *_lines(received), "", "Sent to subscribers:", *_lines(sent))))


def _lines(rows: Rows) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"{address:{widths[0]}}  {arguments:{widths[1]}}  {about}" for address, arguments, about in rows]


def _table(rows: Rows) -> str:
    """Return rows as a Markdown table."""
    cells = [(f"`{address}`", f"`{arguments}`" if arguments else "", about) for address, arguments, about in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (_HEAD, ("---",) * 3, *cells))

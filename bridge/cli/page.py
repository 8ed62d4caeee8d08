"""`ghostnote page`: the instrument in the browser."""

from __future__ import annotations

import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from ghostnote.bridge.cli import options
from ghostnote.bridge.cli.extras import needs_page
from ghostnote.bridge.cli.terminal import echo
from ghostnote.bridge.errors import GhostnoteError

_END_SECONDS: Final = 5.0


def page(
    osc: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the OSC of 'ghostnote live' comes in, on this computer.")
    ] = "9000",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The page's port; by default 9080, or any that is free.")
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open it in your browser.")] = True,
    ends: Annotated[bool, typer.Option("--end-with-stdin", hidden=True)] = False,
    model: options.Model = None,
) -> None:
    """See and play 'ghostnote live' on a page in your browser; the page waits for it, and finds it again."""
    from ghostnote.bridge.live.link.server import link_path
    from ghostnote.bridge.live.osc.server import parse_address

    with needs_page("page"):
        from ghostnote.bridge.page.serve import PageServer, PageSettings
    host, osc_port = parse_address(osc)
    # Where there can be no line to the daemon, it is said at once.
    link_path(osc_port)
    server = PageServer(PageSettings(osc_port, host, port, model))
    if ends:
        server.end_with(sys.stdin.buffer.read)
    server.run(lambda address: _announce(address, open_browser))


def _announce(address: str, open_browser: bool) -> None:
    echo(f"page: {address}")
    sys.stdout.flush()
    if open_browser:
        webbrowser.open(address)


@contextmanager
def page_beside(osc_host: str, osc_port: int, *, open_browser: bool) -> Iterator[str]:
    """Run a page in a process of its own for the length of the block, and yield what it says of its address.

    `GhostnoteError` where it does not start.
    """
    with needs_page("live --page"):
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    command = [sys.executable, "-m", "ghostnote.bridge.cli", "page", "--osc", f"{osc_host}:{osc_port}"]
    command += ["--end-with-stdin", "--open" if open_browser else "--no-open"]
    # Out of the terminal's reach: Ctrl-C is this program's.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdin
    assert process.stdout
    try:
        said = process.stdout.readline().decode().strip()
        if not said:
            raise GhostnoteError("the page does not start: 'ghostnote page' says why")
        yield said
    finally:
        process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

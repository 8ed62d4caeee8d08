"""The page and others: a daemon that is killed, and pages that want in, in a real browser."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from live_fakes import FAKES, running, until
from live_program import free_port
from page_rig import OTHER_HOST, Rig, notes, page_server

from ghostnote.bridge.live.osc.server import OscSettings
from ghostnote.bridge.page import guard


@contextmanager
def daemon(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon with fake strokes as a program of its own; in the end nothing of it is left."""
    program = subprocess.Popen([sys.executable, str(Path(FAKES, "page_daemon.py")), str(port)], start_new_session=True)
    try:
        yield program
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()


def test_the_page_waits_for_a_daemon_and_finds_another_after_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chromium: Any
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    port = free_port()
    with page_server(port) as server:
        page = chromium.new_context().new_page()
        page.goto(server.address)
        page.wait_for_selector("#banner:has-text('No daemon plays')")
        with daemon(port) as program:
            page.wait_for_selector("#banner", state="hidden", timeout=60_000)
            page.wait_for_selector(".pad[data-slug=kick]")
            assert server.page.line.is_open
            os.kill(program.pid, signal.SIGKILL)
            page.wait_for_selector("#banner:has-text('No daemon plays')")
            page.click("#tab-grid")
            page.click("button:text-is('Beat')")
            page.wait_for_selector(".step[data-velocity='120'] >> nth=0")
        with running(osc=OscSettings(port=port)) as live:
            page.wait_for_selector("#banner", state="hidden", timeout=60_000)
            until(lambda: live.session.pool.ready)
            page.click(".pad[data-slug=kick]")
            until(lambda: notes(live) == 1)
            assert page.get_attribute(".step >> nth=0", "data-velocity") == "120"
        page.wait_for_selector("#banner:has-text('No daemon plays')")
        page.context.close()


@pytest.fixture
def stranger(chromium: Any) -> Iterator[Any]:
    """Return a page in a browser without the cookie."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("query", ["", "?token=wrong"])
def test_a_browser_without_the_token_is_told_why(rig: Rig, stranger: Any, query: str) -> None:
    where = urlsplit(rig.server.address)
    answer = stranger.goto(f"http://{where.netloc}/{query}")
    assert answer.status == 403
    assert "token" in stranger.inner_text("body")
    assert stranger.context.cookies() == []


def test_another_name_for_this_computer_shows_nothing_even_with_the_token(rig: Rig, stranger: Any) -> None:
    where = urlsplit(rig.server.address)
    answer = stranger.goto(f"http://{OTHER_HOST}:{where.port}/?{where.query}")
    assert answer.status == 403
    assert "not at another name" in stranger.inner_text("body")


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[str]:
    """Serve a page of another program of this computer; cookies know no ports, so it has that of our page, too."""
    (tmp_path / "index.html").write_text("<title>another</title>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_another_page_in_the_same_browser_neither_acts_nor_listens(
    rig: Rig, page: Any, neighbour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = urlsplit(rig.server.address).netloc
    other = page.context.new_page()
    other.goto(neighbour)
    browsers = len(rig.server.page.hub.browsers)
    refused: list[tuple[str, str]] = []
    refuse = guard._refuse

    async def refuse_and_note(scope: Any, send: Any, status: int, reason: str) -> None:
        refused.append((f"{scope.get('method', 'socket')} {scope['path']}", reason))
        await refuse(scope, send, status, reason)

    monkeypatch.setattr(guard, "_refuse", refuse_and_note)
    outcome = other.evaluate(
        """async (where) => {
            const asked = (path, how) => fetch(`http://${where}${path}`, { credentials: "include", ...how })
                .then((answer) => answer.status, () => "refused");
            const socket = new WebSocket(`ws://${where}/state`);
            const opened = await new Promise((done) => {
                socket.onopen = () => done("open");
                socket.onerror = () => done("refused");
            });
            const outcome = [opened];
            for (const path of ["/", "/export.zip"]) outcome.push(await asked(path));
            for (const path of ["/drops", "/export", "/kit/notes/roland"]) {
                outcome.push(await asked(path, { method: "POST" }));
            }
            return outcome;
        }""",
        where,
    )
    assert outcome == ["refused"] * 6
    # What this page sees is refused by the browser in any case: the server has to have done it itself.
    asked = ("socket /state", "GET /", "GET /export.zip", "POST /drops", "POST /export", "POST /kit/notes/roland")
    assert refused == [(each, "this comes from another page") for each in asked]
    assert len(rig.server.page.hub.browsers) == browsers
    other.close()

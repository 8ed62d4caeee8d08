"""A page beside a daemon with fake strokes, and a real browser that looks at it."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_fakes import until
from page_makers import FakeMakerSpec, FakeStrokes

from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.commands import Played
from ghostnote.bridge.live.daemon import Live
from ghostnote.bridge.live.hit import Hit
from ghostnote.bridge.page.serve import PageServer, PageSettings

OTHER_HOST = "ghostnote.test"
"""A host name that the browser takes for this computer."""
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 60_000
_FLAGS = (
    "--headless",
    f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_DROP = """([selector, files]) => {
    const transfer = new DataTransfer();
    for (const [name, data] of files) {
        transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
    }
    document.querySelector(selector).dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
}"""


@dataclass(frozen=True)
class Rig:
    """What tests in a browser look at."""

    live: Live
    server: PageServer
    kits: Path


@contextmanager
def page_server(osc_port: int) -> Iterator[PageServer]:
    """Serve a page on any free port, on a thread of its own."""
    server = PageServer(PageSettings(osc_port, port=0, maker=FakeMakerSpec(), strokes=FakeStrokes()))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.is_up)
        yield server
    finally:
        server.stop()
        thread.join(60)


@contextmanager
def browser() -> Iterator[Any]:
    """Run Debian's Chromium without a screen; the test is skipped where it is not."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS, timeout=PATIENCE_MS)
        yield chromium
        chromium.close()


@contextmanager
def opened(chromium: Any, address: str, script: str = "") -> Iterator[Any]:
    """Open the page in a browser that knows nothing of others, and wait until it shows pads."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(PATIENCE_MS)
    if script:
        context.add_init_script(script)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.wait_for_selector(".pad[data-slug]")
    yield page
    context.close()
    assert errors == []


def drop(page: Any, selector: str, *files: Path) -> None:
    """Drop files onto an element."""
    page.evaluate(_DROP, [selector, [[file.name, base64.b64encode(file.read_bytes()).decode()] for file in files]])


def pad(live: Live, name: str = "Kick") -> Pad:
    """Return a pad as it plays now."""
    return next(pad for pad in live.session.kit.pads if pad.name == name)


def notes(live: Live) -> int:
    """Return how many strokes were played."""
    return sum(live.session.engine.counts[kind] for kind in ("fresh", "fallback", "reused"))


@contextmanager
def strikes_of(live: Live) -> Iterator[list[tuple[str, int]]]:
    """Collect pads and velocities of what is struck."""
    found: list[tuple[str, int]] = []
    watch = live.session.engine.watch

    def both(note: Played, hit: Hit, frame: int) -> None:
        found.append((note.pad, note.velocity))
        watch(note, hit, frame)

    live.session.engine.watch = both
    try:
        yield found
    finally:
        live.session.engine.watch = watch


def write_hit(path: Path, hertz: float = 55.0, rate: int = 44_100) -> Path:
    """Write a burst of a tone."""
    time = np.arange(rate // 2) / rate
    tone = np.sin(2 * np.pi * hertz * time) * np.exp(-time * 9)
    write_audio(path, (0.8 * tone)[None].astype(np.float32), rate)
    return path

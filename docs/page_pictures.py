"""Takes the pictures of the page for the docs: `python docs/page_pictures.py`, on a computer at rest.

Needs the extra `page`, Playwright for Python and Debian's chromium. A daemon without a sound device plays the default
kit; all that the pictures show happened. With names, as `grid tools`, it takes these alone.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).with_name("pictures")
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", "--mute-audio")
DESK, TABLET = {"width": 1280, "height": 720}, {"width": 820, "height": 1180}
PATIENCE_MS = 400_000
LEAST_WAITING = 1
"""Strokes that wait on every pad before a picture is taken."""
NOWHERE = (636, 60)
COLOURS = 256


@contextmanager
def instrument(folder: Path) -> Iterator[str]:
    """Play the default kit without a sound device, and yield the page's address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        osc = str(free.getsockname()[1])
    (folder / "kits").mkdir()
    command = [sys.executable, "-m", "ghostnote.bridge.cli"]
    where = ("--driver", "null", "--block", "2048", "--osc", osc, "--kits", str(folder / "kits"))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
    live = subprocess.Popen([*command, "live", *where], env=environment, stdout=subprocess.DEVNULL)
    page = subprocess.Popen(
        [*command, "page", "--osc", osc, "--no-open"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert page.stdout
        yield page.stdout.readline().removeprefix("page: ").strip()
    finally:
        for program in (page, live):
            program.terminate()
            program.wait()


def state(page: Any, what: str) -> Any:
    """Return a part of what the page knows."""
    return page.evaluate(f"import('/static/store.js').then(({{ state }}) => state.{what})")


def until(page: Any, condition: Callable[[], bool]) -> None:
    """Wait until something is so, while the page goes on."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not come true in time")
        page.wait_for_timeout(100)


def settled(page: Any) -> None:
    """Wait until fresh strokes wait on every pad."""
    page.wait_for_selector(".pad[data-slug]")
    until(page, lambda: len(state(page, "depth")) == len(state(page, "kit.pads")))
    until(page, lambda: min(state(page, "depth")) >= LEAST_WAITING)


def strike(page: Any, slug: str, height: float) -> None:
    """Strike a pad, at the bottom softly and at the top hard."""
    box = page.query_selector(f".pad[data-slug={slug}]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * (1 - height))


def strike_all(page: Any) -> None:
    """Strike every pad that is shown twice, from the strokes that wait for hard notes."""
    for height in (0.75, 0.85):
        settled(page)
        for pad in page.query_selector_all(".pad[data-slug]"):
            strike(page, pad.get_attribute("data-slug"), height)
            page.wait_for_timeout(300)
    settled(page)


def pads(page: Any) -> None:
    """Show pads and the panel of the snare, struck just now with kick and hat."""
    for height in (0.2, 0.4, 0.6, 0.7, 0.8, 0.9):
        strike(page, "snare", height)
        page.wait_for_timeout(300)
        settled(page)
    for slug, height in (("kick", 0.9), ("closed_hat", 0.6), ("snare", 0.85)):
        strike(page, slug, height)


def light(page: Any) -> None:
    """Show the same in light, with the panel of the open hat."""
    page.emulate_media(color_scheme="light")
    for height in (0.3, 0.5, 0.7, 0.9):
        settled(page)
        strike(page, "open_hat", height)
        page.wait_for_timeout(300)
    settled(page)


def tablet(page: Any) -> None:
    """Show pads and panel under each other."""
    page.set_viewport_size(TABLET)
    page.click(".pad[data-slug=low_floor_tom]")
    page.wait_for_timeout(700)
    settled(page)


def explored(page: Any, press: str) -> None:
    """Press a button that makes drums, and wait for them."""
    count = page.locator(".map-dot").count()
    page.click(press)
    until(page, lambda: page.locator(".map-dot").count() > count)
    page.wait_for_selector("#explore-begin:enabled")


def explore(page: Any) -> None:
    """Show drums that words chose, and four near one."""
    page.click("#tab-explore")
    for words in ("boomy kick", "dark open hat", "tight bright snare"):
        page.fill("#explore-words", words)
        explored(page, "#explore-begin")
    page.focus(".map-dot[data-class=snare] >> nth=5")
    explored(page, "#explore-near")
    page.focus(".map-dot[data-class=snare] >> nth=4")
    page.focus(".map-dot[data-class=snare] >> nth=5")
    page.wait_for_timeout(900)


def tools(page: Any) -> None:
    """Show the snare's own drum and the kick's, and the drums between them."""
    for slug, button in (("snare", "#pad-tool"), ("kick", "#pad-other")):
        page.click("#tab-pad")
        page.focus(f".pad[data-slug={slug}]")
        page.click(button)
        page.wait_for_selector("#view-tools:visible")
    page.focus(".pad[data-slug=snare]")
    page.click("#tool-run:enabled")
    page.wait_for_selector("#tool-after .strip button >> nth=4")
    page.click("#tool-after .strip button >> nth=2")
    page.wait_for_timeout(1_500)


def kits(page: Any) -> None:
    """Show kits of one's own, and all that can be done with one."""
    page.click("#tab-kits")
    for name in ("Attic", "Late night", "Wide room"):
        page.fill("#kit-save-name", name)
        page.click("#kit-save")
        page.wait_for_selector(f".kit-list >> text={name}")
    until(page, lambda: page.locator(".toast").count() == 0)
    settled(page)


def grid(page: Any) -> None:
    """Show the grid as it begins to play."""
    page.click("#tab-grid")
    page.click("button:text-is('Beat')")
    page.click(".pad[data-slug=kick]")
    settled(page)
    page.click("#grid-play")
    page.wait_for_timeout(400)


VIEWS = {"pads": pads, "light": light, "tablet": tablet, "kits": kits, "explore": explore, "tools": tools, "grid": grid}
"""In the order in which they are taken: after the grid played, fewer fresh strokes wait."""


def take(page: Any, path: Path) -> None:
    """Write a picture of few colours, which is small."""
    page.mouse.move(*NOWHERE)
    picture, facts = Image.open(BytesIO(page.screenshot())).convert("RGB"), state(page, "facts")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size >> 10} KiB, {facts['underruns']} underruns, {facts['freshness']:.0%} fresh")


def main() -> None:
    """Take all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("views", nargs="*", help=", ".join(VIEWS))
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder that they go to")
    chosen = parser.parse_args()
    wanted = chosen.views or VIEWS
    with tempfile.TemporaryDirectory() as folder, instrument(Path(folder)) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport=DESK, color_scheme="dark").new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        strike_all(page)
        for name, show in VIEWS.items():
            if name in wanted:
                page.set_viewport_size(DESK)
                page.emulate_media(color_scheme="dark")
                show(page)
                take(page, chosen.output / f"page-{name}.png")
        browser.close()


if __name__ == "__main__":
    main()

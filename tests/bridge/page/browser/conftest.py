"""One browser, one daemon and one page for all tests of the page in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_fakes import KIT, running, until
from page_rig import Rig, browser, opened, page_server

from ghostnote.bridge.live.daemon import Live


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="package")
def rig(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Rig]:
    kits = tmp_path_factory.mktemp("kits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        with running(kits=kits) as live, page_server(live.osc.address[1]) as server:
            until(lambda: live.session.pool.ready)
            yield Rig(live, server, kits)


@pytest.fixture(scope="package")
def shared_page(rig: Rig, chromium: Any) -> Iterator[Any]:
    with opened(chromium, rig.server.address) as shown:
        yield shown


@pytest.fixture
def live(rig: Rig) -> Live:
    rig.live.session.use(KIT)
    return rig.live


@pytest.fixture
def kits(rig: Rig) -> Path:
    return rig.kits


@pytest.fixture
def page(shared_page: Any, live: Live) -> Any:
    """Return the page with the first pad's panel, as if it had just been opened."""
    shared_page.wait_for_selector(".pad >> nth=3 >> text=Open Hat")
    shared_page.click("#tab-pad")
    shared_page.evaluate(
        """async () => {
            const { select, showBank, state } = await import("/static/store.js");
            showBank(0);
            select(0);
            state.strokes.clear();
            (await import("/static/socket.js")).ask({ clear_map: true });
        }"""
    )
    shared_page.wait_for_selector(".map-dot", state="detached")
    return shared_page

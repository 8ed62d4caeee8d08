"""What is heard of the page: the rendered grid, and in the browser what the daemon makes."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_fakes import RATE as DAEMON_RATE
from live_fakes import until
from page_rig import Rig, opened

from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.live.daemon import Live
from ghostnote.bridge.page.bounce import RATE

KICKS = (0, 7, 10)
"""The steps of the kick in the page's beat, 16 a bar."""
TEMPO = 120
LEAST_PEAK = 0.02
STEMS = ("01_Kick_36", "02_Snare_Drum_38", "03_Hat_42", "04_Open_Hat_46")
LISTENED = """
globalThis.heard = { contexts: [], sent: [] };
globalThis.AudioContext = class extends AudioContext {
    constructor(options) { super(options); heard.contexts.push(this); }
};
globalThis.AudioWorkletNode = class extends AudioWorkletNode {
    connect(target) {
        heard.played = new AnalyserNode(this.context, { fftSize: 32768 });
        super.connect(heard.played);
        return super.connect(target);
    }
};
globalThis.WebSocket = class extends WebSocket {
    constructor(address) {
        super(address);
        this.addEventListener("message", ({ data }) => {
            if (data instanceof ArrayBuffer) heard.sent.push(...new Int16Array(data));
        });
    }
};
"""
HEARD = """() => {
    const played = new Float32Array(heard.played.fftSize);
    heard.played.getFloatTimeDomainData(played);
    const size = 64;
    let at = 0;
    for (let n = size; n < played.length - size; n++) if (Math.abs(played[n]) > Math.abs(played[at])) at = n;
    const both = (n) => (heard.sent[2 * n] + heard.sent[2 * n + 1]) / 65536;
    const isSame = (n) => {
        for (let k = 0; k < size; k++) if (Math.abs(both(n + k) - played[at + k]) > 1e-6) return false;
        return true;
    };
    for (let n = 0; n + size <= heard.sent.length / 2; n++) if (isSame(n)) return [Math.abs(played[at]), true];
    return [Math.abs(played[at]), false];
}"""
"""The peak of what the browser played last, and whether the 64 samples from there on are among those that came."""
GRID = "import('/static/store.js').then(({ state }) => [state.grid.tempo, state.grid.humanize])"


def rendered(page: Any, folder: Path, bars: int) -> dict[str, np.ndarray]:
    """Return the files of a rendered grid, (2, frames) each, by their names."""
    page.fill("#grid-bars", str(bars))
    with page.expect_download() as download:
        page.click("#grid-render")
    assert download.value.suggested_filename == "ghostnote.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(folder)
    page.wait_for_selector("#grid-render:text-is('Render mix and stems'):enabled")
    found = {}
    for file in folder.rglob("*.*"):
        audio, rate = read_audio(file)
        assert rate == RATE
        found[file.relative_to(folder).as_posix()] = audio
    return found


def strokes_of(stem: np.ndarray, steps: tuple[int, ...], bars: int) -> list[np.ndarray]:
    """Return the strokes of a stem that sounds at some steps of each bar, and nowhere else."""
    step = RATE * 60 // TEMPO // 4
    places = [(16 * bar + at) * step for bar in range(bars) for at in steps]
    strokes = [stem[:, place : place + step].copy() for place in places]
    rest = stem.copy()
    for place in places:
        rest[:, place : place + step] = 0
    assert not rest.any()
    return strokes


def test_the_grid_is_rendered_to_a_mix_and_a_stem_for_each_pad(live: Live, page: Any, tmp_path: Path) -> None:
    page.click("#tab-grid")
    page.click("button:text-is('Beat')")
    page.fill("#grid-tempo", str(TEMPO))
    page.fill("#grid-humanize", "0")
    page.wait_for_selector(".step[data-velocity='120'] >> nth=0")
    until(lambda: page.evaluate(GRID) == [TEMPO, 0])
    files = rendered(page, tmp_path, 2)
    mix = files.pop("mix.wav")
    assert sorted(files) == [f"stems/{name}.wav" for name in STEMS]
    assert mix.shape[1] >= 2 * 4 * RATE * 60 // TEMPO
    np.testing.assert_allclose(mix, sum(files.values()), atol=1e-6)
    strokes = strokes_of(files[f"stems/{STEMS[0]}.wav"], KICKS, 2)
    levels = [float(np.abs(stroke).max()) for stroke in strokes]
    assert levels == pytest.approx([0.2 * velocity / 127 for velocity in (120, 90, 104)] * 2, rel=0.01)
    assert len({stroke.tobytes() for stroke in strokes}) == 6
    left, right = np.square(files[f"stems/{STEMS[1]}.wav"]).sum(axis=1)
    assert right > 2 * left


def test_only_pads_that_play_get_a_stem_and_an_empty_grid_is_refused(live: Live, page: Any, tmp_path: Path) -> None:
    page.click("#tab-grid")
    page.click("#view-grid >> button:text-is('Clear')")
    until(lambda: page.evaluate("import('/static/store.js').then(({ state }) => !Object.keys(state.grid.rows).length)"))
    page.click("#grid-render")
    page.wait_for_selector(".toast.error:has-text('the pattern is empty')")
    page.click("[aria-label^='Hat step 5,']")
    page.wait_for_selector("[aria-label='Hat step 5, velocity 100']")
    files = rendered(page, tmp_path, 1)
    assert sorted(files) == ["mix.wav", f"stems/{STEMS[2]}.wav"]
    page.click("#view-grid >> button:text-is('Clear')")


@pytest.fixture
def listened(live: Live, rig: Rig, chromium: Any) -> Iterator[Any]:
    """Return a page of a browser of which the tests hear what it plays."""
    with opened(chromium, rig.server.address, LISTENED) as page:
        yield page
    until(lambda: not rig.server.page.hub.wants_sound)


def test_the_browser_plays_what_the_daemon_makes(live: Live, rig: Rig, listened: Any) -> None:
    listened.click("#sound")
    listened.wait_for_selector("#sound[aria-pressed=true]:text-is('Sound here: on')")
    until(lambda: rig.server.page.hub.wants_sound)
    assert listened.evaluate("heard.contexts.map((each) => each.sampleRate)") == [DAEMON_RATE]

    def is_heard() -> bool:
        listened.click(".pad[data-slug=snare_drum]")
        listened.wait_for_timeout(300)
        peak, is_sent = listened.evaluate(HEARD)
        return peak > LEAST_PEAK and is_sent

    until(is_heard)
    listened.click("#sound")
    until(lambda: not rig.server.page.hub.wants_sound)
    assert listened.evaluate("heard.contexts[0].state") == "closed"


def test_the_browser_follows_another_rate(live: Live, rig: Rig, listened: Any) -> None:
    listened.click("#sound")
    until(lambda: rig.server.page.hub.wants_sound)
    listened.evaluate(
        "import('/static/store.js').then(({ receive, state }) => receive({ ...state.kit, rate: 2 * state.kit.rate }))"
    )
    rates = "heard.contexts.map((each) => each.state === 'closed' ? 0 : each.sampleRate)"
    until(lambda: listened.evaluate(rates) == [0, 2 * DAEMON_RATE])
    until(lambda: rig.server.page.hub.wants_sound)
    listened.wait_for_selector("#sound[aria-pressed=true]")


def test_sound_that_is_stopped_while_it_starts_stays_off(live: Live, rig: Rig, listened: Any) -> None:
    listened.evaluate("document.querySelector('#sound').click(); document.querySelector('#sound').click()")
    listened.click("#sound")
    until(lambda: rig.server.page.hub.wants_sound)
    until(lambda: listened.evaluate("heard.contexts.map((each) => each.state)") == ["closed", "running"])
    assert listened.text_content("#errors") == ""

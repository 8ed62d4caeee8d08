"""The page in a real browser, beside a daemon with fake strokes."""

import socket
from pathlib import Path
from typing import Any

from live_fakes import until
from page_rig import Rig, drop, notes, opened, pad, strikes_of

from ghostnote.bridge.live.daemon import Live
from ghostnote.bridge.live.osc.codec import pack

_KEYBOARD = """
globalThis.keys = { play(data) { this.onmidimessage({ data: new Uint8Array(data) }); } };
navigator.requestMIDIAccess = async () => ({ inputs: new Map([["keys", keys]]) });
"""


def test_a_click_plays_and_every_stroke_is_drawn(live: Live, page: Any) -> None:
    before = notes(live)
    until(lambda: live.session.pool.queues[1].depth > 4)
    for _ in range(3):
        page.click(".pad[data-slug=snare_drum]")
    until(lambda: notes(live) == before + 3)
    until(lambda: page.evaluate("document.querySelector('.panel-name').textContent === 'Snare Drum'"))
    until(
        lambda: page.evaluate(
            "import('/static/store.js').then(({ state }) => state.strokes.get('snare_drum')?.length === 3)"
        )
    )
    shapes = page.evaluate(
        "import('/static/store.js').then(({ state }) => state.strokes.get('snare_drum').map((s) => s.ends.join()))"
    )
    assert len(set(shapes)) == 3
    assert page.get_attribute(".pad[data-slug=snare_drum]", "data-origin") in ("fresh", "fallback", "reused")
    drawn = "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((value) => value > 0)"
    assert page.eval_on_selector(".panel-wave", drawn)


def test_keys_play_with_velocity_and_the_panic_key_silences(live: Live, page: Any) -> None:
    with strikes_of(live) as strikes:
        page.keyboard.press("z")
        page.keyboard.press("Shift+z")
        page.focus(".pad[data-slug=kick]")
        page.keyboard.press("Enter")
        until(lambda: len(strikes) == 3)
    assert strikes == [("Kick", 100), ("Kick", 124), ("Kick", 100)]
    page.keyboard.press("Escape")
    until(lambda: live.session.engine.setup.mixer.voices == 0)


def test_midi_keyboards_of_the_browser_play_the_kits_notes(live: Live, rig: Rig, chromium: Any) -> None:
    with opened(chromium, rig.server.address, _KEYBOARD) as page:
        page.click("#midi")
        page.wait_for_selector("#midi[aria-pressed=true]:text-is('MIDI: 1 in')")
        messages = ([0x99, 38, 77], [0x99, 38, 0], [0x89, 38, 9], [0xB9, 4, 9], [0x90, 42, 127])
        with strikes_of(live) as strikes:
            for message in messages:
                page.evaluate("(data) => keys.play(data)", message)
            until(lambda: len(strikes) == 2)
        assert strikes == [("Snare Drum", 77), ("Hat", 127)]


def test_page_second_browser_and_osc_agree(live: Live, page: Any, rig: Rig, chromium: Any) -> None:
    with opened(chromium, rig.server.address) as other:
        page.fill("#knob-amount", "0.4")
        until(lambda: pad(live).amount == 0.4)
        until(lambda: other.evaluate("document.querySelector('#knob-amount').value === '0.4'"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.sendto(pack("/ghostnote/pad/kick/pan", (-0.5,)), live.osc.address)
            line.sendto(pack("/ghostnote/pad/kick/mute", (1,)), live.osc.address)
        for each in (page, other):
            until(lambda each=each: each.evaluate("document.querySelector('#knob-pan').value === '-0.5'"))
            each.wait_for_selector(".pad[data-slug=kick].is-muted")
        other.click(".toggle-mute")
        page.wait_for_selector(".pad[data-slug=kick]:not(.is-muted)")
        page.fill("#pad-choke", "toms")
        page.keyboard.press("Tab")
        until(lambda: pad(live).choke == "toms")


def test_reroll_undo_redo_and_lock(live: Live, page: Any) -> None:
    first = pad(live).seed
    page.click("text=Re-roll >> nth=0")
    until(lambda: pad(live).seed != first)
    second = pad(live).seed
    page.click("button:text-is('Undo'):enabled")
    until(lambda: pad(live).seed == first)
    page.click("button:text-is('Redo'):enabled")
    until(lambda: pad(live).seed == second)
    page.click(".toggle-lock")
    page.wait_for_selector("button:text-is('Re-roll'):disabled")
    live.session.set(pad(live), "lock", False)
    page.wait_for_selector("button:text-is('Re-roll'):enabled")


def test_what_is_no_sound_is_refused_with_a_reason(live: Live, page: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.wav"
    wrong.write_bytes(b"RIFF of nothing")
    drop(page, ".pad[data-slug=kick]", wrong)
    page.wait_for_selector(".toast.error:has-text('wrong.wav')")
    assert pad(live).hit is None


def test_the_grid_plays_in_all_browsers(live: Live, page: Any, rig: Rig, chromium: Any) -> None:
    before = notes(live)
    page.click("#tab-grid")
    page.click("button:text-is('Beat')")
    page.wait_for_selector(".step[data-velocity='120'] >> nth=0")
    with opened(chromium, rig.server.address) as other:
        other.click("#tab-grid")
        other.wait_for_selector(".step[data-velocity='120'] >> nth=0")
        page.click("#grid-play")
        other.wait_for_selector("#grid-play:text-is('Stop')")
        until(lambda: notes(live) > before + 4)
        other.click("#grid-play")
        page.wait_for_selector("#grid-play:text-is('Play')")
    with page.expect_download() as download:
        page.click("a:text-is('MIDI file')")
    assert Path(download.value.path()).read_bytes().startswith(b"MThd")
    page.click("#view-grid >> button:text-is('Clear')")

"""The drum of a pad goes to the tools, and what they make of it comes back to that pad, in a real browser."""

from pathlib import Path
from typing import Any

import numpy as np
from live_fakes import until
from page_rig import drop, pad, write_hit

from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.live.daemon import Live
from ghostnote.bridge.tools.explore import RATE


def transfer(page: Any, name: str, drum_class: str = "kick") -> None:
    """Let a tool make a drum of a class, which is the sound turned round at half its level."""
    page.click("button[data-tool=transfer]")
    page.select_option("#tool-class", drum_class)
    page.fill("#tool-strength", "0.5")
    page.click("#tool-run:enabled")
    page.wait_for_selector(f"#tool-after >> text={name} transfer")


def test_a_recorded_drum_comes_back_to_its_own_pad(live: Live, page: Any, tmp_path: Path) -> None:
    drop(page, "#view-pad", write_hit(tmp_path / "soft kick.wav"), write_hit(tmp_path / "hard kick.wav", 60.0))
    until(lambda: len(pad(live).files) == 2)
    page.wait_for_selector(".files:has-text('hard kick.wav, soft kick.wav')")
    hardest = max(pad(live).hits, key=lambda hit: hit.high).file
    page.click("#pad-tool")
    page.wait_for_selector(f"#tool-before >> text={hardest.stem}")
    page.wait_for_selector("#tool-back", state="hidden")
    transfer(page, hardest.stem)
    page.wait_for_selector("#tool-put-after", state="hidden")
    page.click(".pad[data-slug=hat]")
    page.wait_for_selector("#tool-put-after:text-is('On Hat')")
    page.click("#tool-back:text-is('Back on Kick')")
    until(lambda: pad(live).hit)
    before, after = read_audio(hardest)[0], read_audio(pad(live).hit)[0]
    np.testing.assert_allclose(after, before[:, ::-1] * 0.5, atol=1e-4)
    assert pad(live).hits == ()
    assert pad(live, "Hat").files == ()
    page.wait_for_selector(".toast:has-text('Put on Kick; Undo brings back')")
    page.click("#tab-pad")
    page.focus(".pad[data-slug=kick]")
    page.click("button:text-is('Undo'):enabled")
    until(lambda: len(pad(live).hits) == 2)


def test_a_generated_drum_comes_back_as_another_and_undo_generates_it_again(live: Live, page: Any) -> None:
    page.focus(".pad[data-slug=open_hat]")
    page.click("#pad-tool")
    page.wait_for_selector("#tool-before >> text=Open Hat 4")
    transfer(page, "Open Hat 4", "crash")
    page.click("#tool-back")
    until(lambda: pad(live, "Open Hat").hit and pad(live, "Open Hat").drum_class == "crash")
    tone = 0.5 * np.sin(2 * np.pi * 400 * np.arange(8_000) / RATE)
    np.testing.assert_allclose(read_audio(pad(live, "Open Hat").hit)[0][0], tone[::-1] * 0.5, atol=1e-4)
    page.click("#tab-pad")
    page.click("button:text-is('Undo'):enabled")
    until(lambda: pad(live, "Open Hat").hit is None and pad(live, "Open Hat").drum_class == "open_hat")


def test_a_locked_pad_keeps_its_drum_and_another_sound_ends_the_way_back(live: Live, page: Any, tmp_path: Path) -> None:
    page.click("#pad-tool")
    page.wait_for_selector("#tool-before >> text=Kick 1")
    transfer(page, "Kick 1")
    live.session.set(pad(live), "lock", True)
    page.wait_for_selector(".pad[data-slug=kick] .pad-marks:has-text('🔒')")
    page.click("#tool-back")
    page.wait_for_selector(".toast.error:has-text(\"pad 'Kick' is locked\")")
    assert pad(live).hit is None
    live.session.set(pad(live), "lock", False)
    drop(page, "#tool-before", write_hit(tmp_path / "desk knock.wav"))
    page.wait_for_selector("#tool-before >> text=desk knock")
    transfer(page, "desk knock")
    page.wait_for_selector("#tool-back", state="hidden")
    page.wait_for_selector("#tool-put-after:text-is('On Kick')")


def test_the_drums_of_two_pads_are_morphed(live: Live, page: Any) -> None:
    page.click("#pad-tool")
    page.wait_for_selector("#tool-before >> text=Kick 1")
    page.click("#tab-pad")
    page.focus(".pad[data-slug=snare_drum]")
    page.click("#pad-other")
    page.wait_for_selector("#tool-other >> text=Snare Drum 2")
    page.wait_for_selector("button[data-tool=morph][aria-pressed=true]")
    page.fill("#tool-count", "3")
    page.click("#tool-run:enabled")
    page.click("#tool-after .strip button:text-is('2 of 3')")
    page.wait_for_selector("#tool-after >> text=Kick 1 morph 2 of 3")
    page.click("#tool-back:text-is('Back on Kick')")
    until(lambda: pad(live).hit)
    assert pad(live).hit.name == "Kick 1 morph 2 of 3.wav"
    assert pad(live, "Snare Drum").hit is None

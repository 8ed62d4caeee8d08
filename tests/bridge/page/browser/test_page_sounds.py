"""The map of drums and the sound tools, in a real browser."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_fakes import until
from page_rig import drop, pad, write_hit

import ghostnote.bridge.kit.kit as kit_module
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.live.daemon import Live
from ghostnote.bridge.page import exploring

PAINTED = "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((value) => value > 0)"


def write_loop(path: Path) -> Path:
    """Write a loop of kick, snare, kick, snare of the default kit, half a second each."""
    hits = []
    for name in ("acoustic_kick", "acoustic_snare"):
        audio, rate = read_audio(sorted(Path(kit_module.__file__).parent.glob(f"drums/*/{name}-*.flac"))[0])
        hit = np.zeros(rate // 2, np.float32)
        hit[: min(len(hit), audio.shape[1])] = audio[0, : len(hit)]
        hits.append(hit)
    write_audio(path, np.concatenate([np.zeros(rate // 10, np.float32), *hits, *hits])[None], rate)
    return path


def test_drums_are_explored_and_one_is_put_on_a_pad(live: Live, page: Any, kits: Path, tmp_path: Path) -> None:
    page.click(".pad[data-slug=hat]")
    page.click("#tab-explore")
    page.select_option("#explore-class", "snare")
    page.select_option("#explore-count", "4")
    page.click("#explore-begin")
    page.wait_for_selector(".map-dot >> nth=3")
    places = page.eval_on_selector_all(".map-dot", "(dots) => dots.map((dot) => dot.style.left + dot.style.top)")
    assert len(set(places)) == 4
    page.wait_for_selector("#explore-begin:enabled")
    page.hover(".map-dot >> nth=2")
    page.wait_for_selector("#explore-put:text-is('Put on Hat')")
    page.click("#explore-near")
    page.wait_for_selector(".map-dot >> nth=7")
    page.wait_for_selector("#explore-begin:enabled")
    drop(page, "#map", write_hit(tmp_path / "own kick.wav"))
    page.wait_for_selector(".map-dot[data-class=kick]")
    page.click(".map-dot >> nth=0")
    until(lambda: pad(live, "Hat").hit and pad(live, "Hat").drum_class == "snare")
    assert pad(live, "Hat").hit.is_relative_to(kits / "page hits" / "hat")
    page.click("#tab-pad")
    page.click("button:text-is('Undo'):enabled")
    until(lambda: pad(live, "Hat").hit is None and pad(live, "Hat").drum_class == "closed_hat")


def test_a_tool_works_on_a_dropped_sound_and_the_result_goes_to_a_pad(live: Live, page: Any, tmp_path: Path) -> None:
    page.click(".pad[data-slug=open_hat]")
    page.click("#tab-tools")
    drop(page, "#tool-before", write_hit(tmp_path / "desk knock.wav"))
    page.wait_for_selector("#tool-before >> text=desk knock")
    page.wait_for_selector("#tool-run:enabled")
    page.click("button[data-tool=transfer]")
    page.fill("#tool-strength", "0.5")
    page.select_option("#tool-class", "snare")
    page.click("#tool-run")
    page.wait_for_selector("#tool-after >> text=desk knock transfer")
    page.wait_for_selector("#tool-play-after:enabled")
    assert page.eval_on_selector("#tool-after .side-wave", PAINTED)
    assert page.eval_on_selector("#tool-after .side-picture", PAINTED)
    page.click("#tool-put-after")
    until(lambda: pad(live, "Open Hat").hit and pad(live, "Open Hat").drum_class == "snare")
    before, after = read_audio(tmp_path / "desk knock.wav")[0], read_audio(pad(live, "Open Hat").hit)[0]
    np.testing.assert_allclose(after, before[:, ::-1] * 0.5, atol=1e-4)
    page.click("button[data-tool=extend]")
    page.click("#tool-run")
    page.wait_for_selector(".toast.error:has-text('lasts as long already')")


def test_words_choose_drums_and_say_what_they_were_taken_for(
    live: Live, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exploring, "guess", lambda word: {})
    monkeypatch.setattr(exploring, "open_embedding", lambda: None)
    page.click("#tab-explore")
    page.click("#view-explore >> button:text-is('Clear')")
    page.wait_for_selector(".map-dot", state="detached")
    page.select_option("#explore-class", "kick")
    page.select_option("#explore-count", "4")
    page.fill("#explore-words", "dark zorgish snare")
    page.keyboard.press("Enter")
    page.wait_for_selector(".map-dot[data-class=snare] >> nth=3")
    hint = "; the 'words' extra explains more"
    page.wait_for_selector(f'#explore-said:has-text("snare: darker; not known here: zorgish{hint}")')
    assert page.get_attribute(".map-dot >> nth=0", "data-name").startswith("dark zorgish snare ")
    page.wait_for_selector("#explore-begin:enabled")
    page.fill("#explore-words", "zorgish")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast.error:has-text(\"'zorgish' says nothing here\")")
    page.wait_for_selector(f'.toast.error:has-text("{hint}")')
    page.fill("#explore-words", "")


def test_sounds_of_ones_own_are_chosen_for_the_map(live: Live, page: Any, tmp_path: Path) -> None:
    page.click("#tab-explore")
    with page.expect_file_chooser() as chooser:
        page.click("button:text-is('Your sounds…')")
    chooser.value.set_files([write_hit(tmp_path / "My Snare.wav", 210.0), write_hit(tmp_path / "My Kick.wav")])
    page.wait_for_selector(".map-dot.is-own[data-name='My Snare']")
    assert page.get_attribute("[data-name='My Kick']", "data-class") == "kick"


def test_drums_between_two_files_are_made(live: Live, page: Any, tmp_path: Path) -> None:
    page.click("#tab-tools")
    page.click("button[data-tool=morph]")
    drop(page, "#tool-before", write_hit(tmp_path / "low.wav", 110.0))
    page.wait_for_selector("#tool-before >> text=low")
    drop(page, "#tool-other", write_hit(tmp_path / "high.wav", 220.0, 48_000))
    page.wait_for_selector("#tool-other >> text=high")
    page.fill("#tool-count", "3")
    page.click("#tool-run:enabled")
    page.wait_for_selector("#tool-after .strip button:text-is('2 of 3')")
    choose_while_another_comes(page)
    page.click("#tool-after .strip button:text-is('2 of 3')")
    page.wait_for_selector("#tool-after >> text=low morph 2 of 3")
    for side in ("before", "other", "after"):
        assert page.eval_on_selector(f"#tool-{side} .side-wave", PAINTED)
    page.click("#tool-put-after:enabled")
    until(lambda: pad(live).hit)
    between, rate = read_audio(pad(live).hit)
    spectrum = np.abs(np.fft.rfft(between[0]))
    assert np.argmax(spectrum) * rate / between.shape[1] == pytest.approx(110 * 2**0.5, abs=4)


def choose_while_another_comes(page: Any) -> None:
    """Choose the second of what was made, and the third while it is under way: the third stays."""
    held: list[Any] = []
    page.route("**/bench/after-1.wav*", lambda route: held.append(route))
    page.click("#tool-after .strip button:text-is('2 of 3')")
    page.click("#tool-after .strip button:text-is('3 of 3')")
    page.wait_for_selector("#tool-after >> text=low morph 3 of 3")
    with page.expect_response("**/bench/after-1.wav*") as answer:
        held[0].continue_()
    answer.value.finished()
    page.wait_for_timeout(200)
    assert page.inner_text("#tool-after .strip [aria-pressed=true]") == "3 of 3"
    assert page.inner_text("#tool-after .split .quiet").startswith("low morph 3 of 3")
    assert page.get_attribute("#tool-after a", "href") == "/bench/after-2.wav"
    page.unroute("**/bench/after-1.wav*")


def test_one_file_goes_over_into_another(live: Live, page: Any, tmp_path: Path) -> None:
    page.click("#tab-tools")
    page.click("button[data-tool=transition]")
    drop(page, "#tool-before", write_hit(tmp_path / "from.wav", 400.0))
    page.wait_for_selector("#tool-before >> text=from")
    drop(page, "#tool-other", write_hit(tmp_path / "to.wav", 200.0))
    page.wait_for_selector("#tool-other >> text=to")
    page.fill("#tool-seconds", "0.1")
    page.click("#tool-run:enabled")
    page.wait_for_selector("#tool-after >> text=from transition")
    with page.expect_download() as download:
        page.click("#tool-after >> a:text-is('Save')")
    assert download.value.suggested_filename == "from transition.wav"
    audio, rate = read_audio(Path(download.value.path()).rename(tmp_path / "joined.wav"))
    ends = [audio[0, : rate // 50], audio[0, rate // 5 : 2 * rate // 5]]
    first, last = (np.argmax(np.abs(np.fft.rfft(end, rate))) for end in ends)
    assert first == pytest.approx(400, abs=30)
    assert last == pytest.approx(200, abs=6)


def test_a_loop_is_sliced_and_its_strokes_become_a_kit(live: Live, page: Any, kits: Path, tmp_path: Path) -> None:
    pytest.importorskip("aubio", reason="needs the 'slice' extra")
    page.click("#tab-tools")
    page.click("button[data-tool=slice]")
    drop(page, "#tool-before", write_loop(tmp_path / "break.wav"))
    page.wait_for_selector("#tool-before >> text=break")
    page.click("#tool-run:enabled")
    page.wait_for_selector("#tool-after .strip button >> nth=3")
    names = page.eval_on_selector_all("#tool-after .strip button", "(all) => all.map((each) => each.textContent)")
    assert names == ["1 kick", "2 snare", "3 kick", "4 snare"]
    page.click("#tool-after .strip button:text-is('2 snare')")
    page.click("#tool-put-after:enabled")
    until(lambda: pad(live).hit and pad(live).drum_class == "snare")
    page.click("#tool-kit")
    until(lambda: live.session.kit.name == "break")
    assert {(each.drum_class, len(each.files)) for each in live.session.kit.pads} == {("kick", 2), ("snare", 2)}
    assert (kits / "break" / "break.mid").exists()

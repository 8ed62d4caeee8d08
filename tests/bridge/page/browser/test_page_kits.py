"""Kits in a real browser: saved and loaded, exported, and played by other notes."""

import multiprocessing
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live_fakes import KIT, until
from page_rig import Rig, drop, notes, pad, write_hit

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.importers.source import ImportChoices
from ghostnote.bridge.kit.importers.write import import_kit
from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.live.daemon import Live
from ghostnote.bridge.midi.note_names import note_name
from ghostnote.bridge.page.exports import LAYERS, MOST_LAYERS, read_wish


def test_a_kit_is_saved_loaded_and_still_there_in_a_page_that_is_loaded_anew(
    live: Live, page: Any, kits: Path, tmp_path: Path
) -> None:
    drop(page, ".pad[data-slug=hat]", write_hit(tmp_path / "low kick.wav"))
    until(lambda: pad(live, "Hat").hit)
    assert pad(live, "Hat").hit == kits / "page hits" / "hat" / "low kick.wav"
    until(lambda: pad(live, "Hat").drum_class == "kick")
    page.fill("#knob-tune", "-2.5")
    until(lambda: pad(live, "Hat").tune == -2.5)
    page.click("#tab-kits")
    page.fill("#kit-save-name", "mine")
    page.click("#kit-save")
    until(lambda: (kits / "mine.toml").exists())
    saved = load_kit(kits / "mine.toml")
    assert saved.pads[2].hit
    assert saved.pads[2].tune == -2.5
    live.session.use(KIT)
    page.click(".kit-list button:text-is('mine')")
    until(lambda: pad(live, "Hat").hit)
    page.reload()
    page.wait_for_selector("#kit-file:text-is('mine.toml')")
    page.click("#tab-pad")
    page.focus(".pad[data-slug=hat]")
    until(lambda: page.evaluate("document.querySelector('#knob-tune').value === '-2.5'"))


def test_another_kit_of_that_name_is_replaced_at_the_second_press_alone(live: Live, page: Any, kits: Path) -> None:
    (kits / "theirs.toml").write_text("not yours")
    live.session.save("other")
    page.click("#tab-kits")
    page.wait_for_selector(".kit-list button:text-is('theirs')")
    page.fill("#kit-save-name", "theirs")
    page.click("#kit-save")
    page.wait_for_selector("#kit-save:text-is('Replace it')")
    assert (kits / "theirs.toml").read_text() == "not yours"
    page.click("#kit-save")
    until(lambda: (kits / "theirs.toml").read_text() != "not yours")
    page.wait_for_selector("#kit-save:text-is('Save')")


def test_a_dropped_folder_of_hits_becomes_a_kit_that_plays(live: Live, page: Any, kits: Path, tmp_path: Path) -> None:
    page.click("#tab-kits")
    drop(page, "#kit-zone", write_hit(tmp_path / "Big Kick.wav"), write_hit(tmp_path / "Snare 1.wav", 220.0))
    until(lambda: len(live.session.kit.pads) == 2)
    assert {pad.drum_class for pad in live.session.kit.pads} == {"kick", "snare"}
    assert all(file.is_relative_to(kits) for pad in live.session.kit.pads for file in pad.files)
    page.wait_for_selector(".pad[data-class=snare]")


def test_the_kit_is_exported_for_other_samplers_as_it_plays(live: Live, page: Any, tmp_path: Path) -> None:
    live.session.set(pad(live), "gain", -6.0)
    page.click("#tab-kits")
    page.check("#export-hydrogen")
    for number in ("#export-velocities", "#export-count"):
        assert page.input_value(number) == str(LAYERS)
        assert page.get_attribute(number, "max") == str(MOST_LAYERS)
    page.fill("#export-velocities", "2")
    page.fill("#export-count", "3")
    page.fill("#export-author", "Ada")
    with page.expect_download() as download:
        page.click("#export-begin")
    assert download.value.suggested_filename == "test.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert "hydrogen/test.h2drumkit" in names
    assert sum(name.startswith("sfz/test/samples/") for name in names) == 4 * 2 * 3
    kit, _ = import_kit(next((tmp_path / "sfz" / "test").glob("*.sfz")), tmp_path / "back.toml", ImportChoices())
    assert [(each.notes, each.drum_class) for each in kit.pads] == [(each.notes, each.drum_class) for each in KIT.pads]
    assert [len(each.hits) for each in kit.pads] == [6, 6, 6, 6]
    texts = [file.read_text() for file in (tmp_path / "sfz" / "test").iterdir() if file.is_file()]
    assert any("Ada" in text for text in texts)
    loudest = max(abs(read_audio(hit.file)[0]).max() for hit in kit.pads[0].hits)
    assert loudest == pytest.approx(0.2 * 10 ** (-6 / 20), rel=1e-3)
    page.wait_for_selector("#export-begin:enabled")


def test_an_export_can_be_stopped_and_leaves_nothing(live: Live, page: Any, rig: Rig) -> None:
    page.click("#tab-kits")
    page.fill("#export-velocities", "16")
    page.fill("#export-count", "16")
    page.click("#export-begin")
    page.click("#export-stop")
    page.wait_for_selector(".toast.error:has-text('the export was stopped')")
    page.wait_for_selector("#export-begin:enabled")
    base = rig.server.page.exports.folder
    assert [file.suffix for file in base.iterdir()] in ([], [".zip"])
    assert "_export" not in [process.name for process in multiprocessing.active_children()]


@pytest.mark.parametrize(
    ("given", "match"),
    [({}, "no format"), ({"formats": "tape"}, "tape"), ({"formats": "sfz", "count": 0}, "count"),
     ({"formats": "sfz", "velocities": True}, "velocities"), ({"formats": "sfz", "count": 17}, "from 1 to 16")],
)  # fmt: skip
def test_an_export_of_what_cannot_be_is_refused(given: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        read_wish(given)


def test_the_map_of_general_midi_plays_and_a_kit_is_made_for_other_notes(live: Live, page: Any, kits: Path) -> None:
    page.click("#tab-kits")
    before = notes(live)
    page.click("[aria-label='Play note 38']")
    until(lambda: notes(live) == before + 1)
    page.wait_for_selector("tr:has-text('Electric Snare'):has-text('–')")
    named = page.eval_on_selector_all(
        "[aria-label='General MIDI'] tbody tr",
        "(all) => all.map((row) => [row.cells[0].innerText, row.cells[1].innerText])",
    )
    assert named == [[str(note), note_name(note)] for note in range(27, 88)]
    page.select_option("#kit-map", "roland")
    page.click("#kit-map-apply")
    until(lambda: live.session.kit.name == "test roland")
    assert {each.name: each.notes for each in live.session.kit.pads} == {
        "Kick": (36, 35), "Snare Drum": (38, 40), "Hat": (42, 22), "Open Hat": (46, 26)
    }  # fmt: skip
    assert load_kit(kits / "test roland.toml").pads[1].notes == (38, 40)
    page.wait_for_selector("tr:has-text('Electric Snare') >> text=Snare Drum")


def test_a_note_is_learned_from_the_list_of_notes(live: Live, page: Any) -> None:
    live.session.use(replace(KIT, name="learning"))
    page.click("#tab-kits")
    page.click("[aria-label='Learn the note of Hat']")
    focused = "document.activeElement.getAttribute('aria-label')"
    page.wait_for_selector("[aria-label='Learn the note of Hat']:text-is('waiting…')")
    assert page.evaluate(focused) == "Learn the note of Hat"
    live.session.handle_midi(bytes((0x99, 63, 80)), 0.0)
    until(lambda: 63 in pad(live, "Hat").notes)
    page.wait_for_selector("tr:has-text('Open Hi Conga') >> text=Hat")
    page.wait_for_selector("[aria-label='Learn the note of Hat']:text-is('Learn')")
    assert page.evaluate(focused) == "Learn the note of Hat"
    again = page.locator("[aria-label='General MIDI'] tbody button:text-is('Kick')").nth(1)
    # In one look: between two the list may be drawn once more.
    place = """() => [...document.querySelectorAll("[aria-label='General MIDI'] tbody button")]
        .filter((button) => button.textContent === "Kick").indexOf(document.activeElement)"""
    until(lambda: again.focus() or page.evaluate(place) == 1)
    live.session.set(pad(live, "Snare Drum"), "gain", -3.0)
    page.wait_for_function("import('/static/store.js').then(({ state }) => state.pads[1].gain === -3)")
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert page.evaluate(place) == 1

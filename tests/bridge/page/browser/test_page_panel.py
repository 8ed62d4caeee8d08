"""A pad's panel in a real browser: every setting reaches the daemon, and comes back."""

from pathlib import Path
from typing import Any

from live_fakes import until
from page_rig import drop, pad, strikes_of, write_hit

from ghostnote.bridge.live.daemon import Live
from ghostnote.bridge.page.commands import SWEEP

KNOBS = {
    "amount": (1.5, "1.50"), "width": (0.25, "0.25"), "steps": (4, "4"), "gain": (-7.5, "-7.5 dB"),
    "pan": (0.5, "50 right"), "tune": (-3.25, "-3.25 st"), "decay": (2.0, "× 2.00"), "attack": (6.0, "+6.0 dB"),
    "tone": (-12.0, "-12.0 dB"), "start": (20, "20 ms"),
}  # fmt: skip
"""What each is set to, and how the page says it."""


def test_every_knob_reaches_the_daemon_and_comes_back(live: Live, page: Any) -> None:
    for name, (value, _) in KNOBS.items():
        page.fill(f"#knob-{name}", "1" if name == "decay" else str(value))
    until(lambda: all(live.session.get(pad(live), name) == value for name, (value, _) in KNOBS.items()))
    for name, (_, text) in KNOBS.items():
        page.wait_for_selector(f"output[for=knob-{name}]:text-is('{text}')")
        assert page.get_attribute(f"#knob-{name}", "aria-valuetext") == text
    live.session.set(pad(live), "tune", 5)
    page.wait_for_selector("output[for=knob-tune]:text-is('+5.00 st')")
    page.dblclick("#knob-tune")
    until(lambda: pad(live).tune == 0)


def test_class_kind_choke_output_and_switches(live: Live, page: Any) -> None:
    page.select_option("#pad-class", "tom")
    until(lambda: pad(live).drum_class == "tom")
    page.wait_for_selector("#pad-kind option[value=low_tom]", state="attached")
    page.select_option("#pad-kind", "low_tom")
    until(lambda: pad(live).kind == "low_tom")
    page.fill("#pad-choke", "low")
    page.fill("#pad-out", "drums")
    page.keyboard.press("Enter")
    until(lambda: (pad(live).choke, pad(live).out) == ("low", "drums"))
    for name in ("solo", "reverse", "mute", "lock"):
        page.click(f".toggle-{name}")
        until(lambda name=name: live.session.get(pad(live), name))
        page.wait_for_selector(f".toggle-{name}[aria-pressed=true]")
        page.click(f".toggle-{name}")
        until(lambda name=name: not live.session.get(pad(live), name))


def test_a_drum_is_heard_from_soft_to_hard_and_beside_the_one_before(live: Live, page: Any) -> None:
    first = pad(live).seed
    with strikes_of(live) as strikes:
        page.click("button:text-is('Hear')")
        until(lambda: strikes == [("Kick", 100)])
        page.click("button:text-is('Soft → hard')")
        until(lambda: len(strikes) == 1 + len(SWEEP))
        assert strikes[1:] == [("Kick", velocity) for velocity in SWEEP]
        page.click("button:text-is('Re-roll')")
        until(lambda: pad(live).seed != first)
        second = pad(live).seed
        for expected, count in ((first, 1), (second, 2)):
            page.click("button:text-is('A ⇄ B'):enabled")
            until(lambda expected=expected: pad(live).seed == expected)
            until(lambda count=count: len(strikes) == 1 + len(SWEEP) + count)
    page.click(".history .dot[title='the drum before']")
    until(lambda: pad(live).seed == first)


def test_several_strokes_are_dropped_onto_the_panel_and_given_up_again(live: Live, page: Any, tmp_path: Path) -> None:
    drop(page, "#view-pad", write_hit(tmp_path / "soft kick.wav"), write_hit(tmp_path / "hard kick.wav", 60.0))
    until(lambda: len(pad(live).files) == 2)
    page.wait_for_selector(".files:has-text('hard kick.wav, soft kick.wav')")
    page.click("button:text-is('Generate instead')")
    until(lambda: not pad(live).files)


def test_a_folder_of_strokes_is_chosen(live: Live, page: Any, tmp_path: Path) -> None:
    (tmp_path / "My Snare").mkdir()
    for name, hertz in (("a.wav", 200.0), ("b.wav", 202.0)):
        write_hit(tmp_path / "My Snare" / name, hertz)
    with page.expect_file_chooser() as chooser:
        page.click("#view-pad >> button:text-is('Folder…')")
    chooser.value.set_files(tmp_path / "My Snare")
    until(lambda: [file.name for file in pad(live).files] == ["a.wav", "b.wav"])
    assert pad(live).drum_class == "snare"

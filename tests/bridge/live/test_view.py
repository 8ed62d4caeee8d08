"""What a player reads on the terminal."""

import re
import time
from dataclasses import replace

from live_fakes import KIT, running, until

from ghostnote.bridge.io.printable import printable
from ghostnote.bridge.live.status import PlainView, drawn, facts, line, opening
from ghostnote.bridge.midi.events import NoteOn


def test_notes_that_no_pad_plays_are_named() -> None:
    with running() as live:
        assert "on no pad" not in line(live)
        assert "0 notes, pool" in line(live)
        assert facts(live)["freshness"] == -1.0
        for note in (99, 99, 100):
            live.session.play(NoteOn(0, note, 100), time.perf_counter())
        until(lambda: "3 on no pad: note 99" in line(live))
        for _ in range(3):
            live.session.play(NoteOn(0, 58, 100), time.perf_counter())
        until(lambda: "on no pad: note 58 (Vibraslap)" in line(live))


def test_silent_notes_before_all_is_ready_are_named() -> None:
    kit = replace(KIT, pads=(replace(KIT.pads[0], name="broken"), *KIT.pads[1:]))
    with running(kit=kit) as live:
        assert "silent" not in line(live)
        for n in range(2):
            live.session.play(NoteOn(0, 36, 100), time.perf_counter() + n)
        until(lambda: "2 notes, 0.0% fresh, 2 silent" in line(live))
        assert facts(live)["notes_silent"] == 2


def test_names_are_drawn_escaped() -> None:
    kit = replace(KIT, pads=(replace(KIT.pads[0], name="a \x1b[2J name"), *KIT.pads[1:]))
    with running(kit=kit) as live:
        text = str(drawn(live, ("a \x1b[31m notice\n",), printable))
    assert "\x1b" not in text
    assert r"a \x1b[2J name" in text
    assert r"a \x1b[31m notice\n" in text


def test_what_is_wrong_is_named_in_the_status_with_its_age() -> None:
    kit = replace(KIT, pads=(replace(KIT.pads[0], name="broken"), *KIT.pads[1:]))
    with running(kit=kit) as live:
        until(lambda: "broken: kick.wav: is not a sound file" in line(live))
        assert re.search(r"file \(for \d+ s\)", line(live))
        live.session.trouble("wires", "too many open files")
        live.session.trouble("wires", "too many open files")
        assert re.search(r"wires: too many open files \(for \d+ s\)", str(facts(live)["trouble"]))
        assert [text for text in tuple(live.session.notices) if "wires" in text] == ["wires: too many open files"]
        live.session.trouble("wires", "no memory")
        assert re.search(r"wires: no memory \(for \d+ s\)", line(live))
        live.session.trouble("wires", "")
        assert "wires:" not in line(live)


def test_the_plain_view_says_in_the_end_how_it_went() -> None:
    lines: list[str] = []
    with running() as live:
        until(lambda: live.session.pool.ready, 30)
        with PlainView(lines.append) as view:
            view(live)
            live.session.play(NoteOn(0, 36, 100), time.perf_counter())
            until(lambda: live.session.engine.counts.total() == 1)
    assert "no device" in lines[0]
    assert "1 note, " in lines[-1]


def test_the_picture_tells_the_state_of_pads() -> None:
    with running() as live:
        kick, snare, *_ = live.session.kit.pads
        live.session.set(kick, "mute", True)
        live.session.set(snare, "solo", True)
        live.session.learn(live.session.kit.pads[2])
        rows = {text.split("  ")[0]: text for text in str(drawn(live, ())).splitlines()}
        assert rows["Kick"].endswith("mute")
        assert "solo" in next(text for name, text in rows.items() if name.startswith("Snare"))
        assert rows["Hat"].endswith("learning")


def test_a_midi_port_that_the_driver_brings_along_is_told() -> None:
    with running() as live:
        driver = live.supervisor.driver
        driver.midi_port = "ghostnote:midi_in"
        assert "in: ghostnote:midi_in, OSC" in opening(live)


def test_a_program_change_without_a_kits_folder_says_what_is_missing() -> None:
    kit = replace(KIT, name="other")
    with running(kit=kit) as live:
        live.session.handle_midi(bytes((0xC9, 3)), time.perf_counter())
        until(lambda: any("--kits FOLDER" in notice for notice in tuple(live.session.notices)))

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_fakes import KIT, RATE, fill

from ghostnote.bridge.errors import KitError
from ghostnote.bridge.kit.fields import FieldError
from ghostnote.bridge.kit.kit import Kit, Pad, load_kit
from ghostnote.bridge.kit.save import kit_text, save_kit
from ghostnote.bridge.live.pad_parameters import Value, checked, slug
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.midi.events import NoteOn

BLOCK = 80


def session(kits: Path | None = None) -> Session:
    made = Session(KIT, RATE, kits, limiter=False)
    fill(made.pool)
    return made


def run(made: Session) -> float:
    """Render a block and return its peak."""
    return float(abs(made.engine.render(BLOCK, 1e9)).max())


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("amount", 1, 1.0),
        ("amount", True, 1.0),
        ("steps", 4.0, 4),
        ("steps", True, 1),
        ("pan", -1, -1.0),
        ("mute", 1.0, True),
        ("solo", 0, False),
        ("class", "tom", "tom"),
        ("seed", 7.0, 7),
        ("reverse", 1, True),
        ("tune", -12, -12.0),
    ],
)
def test_int_float_and_bool_are_alike(name: str, given: object, held: Value) -> None:
    value = checked(name, given)
    assert value == held
    assert type(value) is type(held)


@pytest.mark.parametrize(
    ("name", "given"),
    [("amount", 2.1), ("amount", "much"), ("steps", 1.5), ("class", "gong"), ("class", 3), ("pan", float("nan")),
     ("seed", -1), ("mute", "yes"), ("gain", float("inf")), ("amount", None), ("steps", float("nan"))],
)  # fmt: skip
def test_values_that_break_a_rule_are_refused(name: str, given: object) -> None:
    with pytest.raises(FieldError, match=name):
        checked(name, given)


def test_a_set_value_is_held_told_and_played() -> None:
    made = session()
    changes: list[tuple[str, tuple[Value, ...]]] = []
    made.listeners.append(lambda address, values: changes.append((address, values)))
    made.set(KIT.pads[1], "amount", 0.25)
    run(made)
    assert made.kit.pads[1].amount == 0.25
    assert made.engine.setup.kit.pads[1].amount == 0.25
    assert changes == [("pad/snare_drum/amount", (0.25,))]
    assert made.pool.queues[1].generation == 1
    assert made.pool.queues[0].generation == 0


def test_solo_and_mute() -> None:
    made = session()
    made.set(KIT.pads[0], "solo", True)
    made.set(KIT.pads[1], "solo", 1)
    made.set(KIT.pads[1], "mute", 1)
    audible = {}
    for pad in KIT.pads:
        made.strike(pad.name, 100, 0.0)
        run(made)
        audible[pad.name] = len(made.engine.played)
        made.engine.played.clear()
    assert audible == {"Kick": 1, "Snare Drum": 0, "Hat": 0, "Open Hat": 0}


def test_midi_of_the_driver_sounds_in_the_very_block_at_its_offset() -> None:
    made = session()
    block = made.render(BLOCK, 0.0, ((17, b"\x99\x24\x64"), (40, b"\x99\x26")))
    assert np.flatnonzero(block[0])[0] == 17
    assert made.counts["midi"] == 1
    assert [note.pad for note in made.engine.played] == ["Kick"]


def test_reroll_gives_another_seed_every_time() -> None:
    made = session()
    seeds = {made.reroll(made.kit.pads[0]) for _ in range(5)}
    assert len(seeds) == 5


def test_reroll_and_another_class_leave_the_drum_that_a_kit_names() -> None:
    made = session()
    kick = replace(KIT.pads[0], drum=7, kind="acoustic_kick")
    made.use(replace(KIT, pads=(kick, *KIT.pads[1:])))
    seed = made.reroll(kick)
    assert (made.kit.pads[0].drum_seed, made.kit.pads[0].kind) == (seed, "acoustic_kick")
    made.set(made.kit.pads[0], "class", "tom")
    assert (made.kit.pads[0].drum_class, made.kit.pads[0].kind) == ("tom", None)


def test_kits_that_come_along_need_no_folder(tmp_path: Path) -> None:
    made = session()
    made.load("electronic")
    assert made.kit.pads == load_kit("electronic").pads
    save_kit(KIT, tmp_path / "dry.toml")
    made = session(tmp_path)
    made.load("dry")
    assert made.kit.pads == KIT.pads


def test_learning_moves_a_note() -> None:
    made = session()
    made.learn(KIT.pads[1])
    made.handle_midi(b"\x99\x24\x64", 0.0)
    made.tend()
    run(made)
    assert 36 in made.kit.pads[1].notes
    assert made.kit.pads[0].notes == (35,)
    assert not made.learning


def test_learning_leaves_no_pad_without_a_note_and_moves_the_only_one_when_asked_to() -> None:
    made = session()
    made.learn(KIT.pads[1])
    made.handle_midi(b"\x99\x2a\x64", 0.0)
    made.tend()
    assert made.kit == KIT
    assert "note 42" in made.notices[-1]
    made.learn(KIT.pads[1], move=True)
    made.handle_midi(b"\x99\x2a\x64", 0.0)
    made.tend()
    assert [pad.notes for pad in made.kit.pads] == [(36, 35), (42,), (38,), (46,)]


def test_learning_takes_osc_notes_too_and_says_what_it_waits_for() -> None:
    made = session()
    made.learn(KIT.pads[1])
    assert made.learning == "Snare Drum"
    assert made.notices[-1] == "waiting for the note that is to strike 'Snare Drum'"
    made.strike("Kick", 100, 0.0)
    made.tend()
    assert made.learning == "Snare Drum"
    made.play(NoteOn(0, 60, 100), 0.0)
    made.tend()
    assert made.kit.pads[1].notes == (38, 60)
    assert made.notices[-1] == "note 60 strikes 'Snare Drum' from now on"


def test_learning_ends_with_the_kit_and_when_it_is_called_off(tmp_path: Path) -> None:
    save_kit(KIT, tmp_path / "same.toml")
    made = session(tmp_path)
    made.learn(KIT.pads[1])
    made.set(made.kit.pads[0], "amount", 0.5)
    assert made.learning
    made.play(NoteOn(0, 60, 100), 0.0)
    made.load("same")
    assert made.notices[-1] == "'Snare Drum' waits for no note any more: another kit plays"
    made.tend()
    assert made.kit.pads == KIT.pads
    made.learn(KIT.pads[1])
    made.learn(None)
    assert made.notices[-1] == "'Snare Drum' waits for no note any more: it was called off"
    assert not made.learning


def test_a_program_change_selects_a_kit_by_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        save_kit(Kit(name, 1, KIT.pads), tmp_path / f"{name}.toml")
    made = session(tmp_path)
    made.handle_midi(b"\xc9\x01", 0.0)
    made.tend()
    assert made.kit.name == "b"
    made.handle_midi(b"\xc9\x09", 0.0)
    made.tend()
    assert made.kit.name == "b"
    assert "program 9" in made.notices[-1]
    made.handle_midi(b"\xc3\x00", 0.0)
    made.tend()
    assert made.kit.name == "b"
    made.program_channel = 3
    made.handle_midi(b"\xc3\x00", 0.0)
    made.tend()
    assert made.kit.name == "a"


def test_a_trouble_is_said_once_and_named_as_it_is_now_since_it_began() -> None:
    made = session()
    now = [1.0]
    made._clock = lambda: now[0]
    for what in ("the disk is full", "the disk is full", "Too many open files"):
        made.trouble("take", what)
        now[0] += 1
    assert made.troubles == {"take": ("Too many open files", 1.0)}
    assert list(made.notices) == ["take: the disk is full"]
    made.trouble("take", "")
    assert not made.troubles


def test_what_was_put_off_ends_nothing_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError(24, "Too many open files")

    made = session(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rglob", failing)
        made.handle_midi(b"\xc9\x00", 0.0)
        made.tend()
        with pytest.raises(KitError):
            made.kit_names()
    assert "Too many open files" in made.notices[-1]


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "a/../../out", "", "x\\..\\y", "no\0pe", "missing"])
def test_kits_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "kits").mkdir()
    save_kit(KIT, tmp_path / "out.toml")
    with pytest.raises(KitError):
        session(tmp_path / "kits").load(name)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="the system has no links")
def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "kits").mkdir()
    save_kit(KIT, tmp_path / "out.toml")
    (tmp_path / "kits" / "in.toml").symlink_to(tmp_path / "out.toml")
    with pytest.raises(KitError, match="outside"):
        session(tmp_path / "kits").load("in")
    with pytest.raises(KitError, match="outside"):
        session(tmp_path / "kits").save("../new")
    assert not (tmp_path / "new.toml").exists()


def test_a_saved_kit_is_the_kit(tmp_path: Path) -> None:
    made = session(tmp_path)
    made.set(KIT.pads[1], "amount", 0.3)
    path = made.save("mine")
    assert load_kit(path).pads == made.kit.pads
    made.load("mine")
    assert made.kit.path == path


def test_saving_replaces_the_own_file_of_the_kit_and_another_only_if_told_to(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.toml"
    theirs.write_text("not yours")
    made = session(tmp_path)
    with pytest.raises(KitError, match=r"'theirs\.toml' is there already.*name another, or replace it"):
        made.save("theirs")
    assert theirs.read_text() == "not yours"
    made.save("mine")
    made.set(KIT.pads[1], "amount", 0.3)
    assert load_kit(made.save("mine")).pads[1].amount == 0.3
    assert load_kit(made.save("theirs", replaces=True)).pads == made.kit.pads
    with pytest.raises(KitError, match="is there already"):
        made.save("mine")


def test_a_kit_text_survives_odd_names_and_keeps_its_hits(tmp_path: Path) -> None:
    hit = tmp_path / "hits" / 'a "b".wav'
    hit.parent.mkdir()
    hit.write_bytes(b"RIFF")
    pads = (Pad('T "om" é \\', (41, 43), "tom", hit, 0.5, 0.1, -3.0, 0.2, 4, "x y", 77, 90),)
    path = tmp_path / "kit.toml"
    path.write_text(kit_text(Kit("K", 3, pads), tmp_path), "utf-8")
    assert load_kit(path).pads == pads
    with pytest.raises(KitError, match="outside"):
        kit_text(Kit("K", 3, pads), tmp_path / "elsewhere")


@pytest.mark.parametrize(("name", "word"), [("Closed Hat", "closed_hat"), ("É / 2", "2"), ("--", "pad")])
def test_names_in_addresses(name: str, word: str) -> None:
    assert slug(name) == word

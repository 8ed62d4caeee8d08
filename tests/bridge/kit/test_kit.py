import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.dsp.shaping import Shaping
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.create import kit_from_hits
from ghostnote.bridge.kit.importers.write import open_kit
from ghostnote.bridge.kit.kit import BUILT_IN, Kit, Pad, default_kit, load_kit, pad_seed, parse_kit
from ghostnote.bridge.kit.overrides import with_settings
from ghostnote.bridge.kit.save import save_kit

FULL = """
name = "Mine"
seed = 7

[[pad]]
name = "Snare"
notes = [38, 40]
class = "snare"
hit = "sounds/snare.wav"
amount = 1.5
width = 1
gain_db = -3
pan = -0.25
steps = 0
choke = "left hand"
seed = 99
velocity = 100

[[pad]]
name = "kick drum"
notes = [36]
"""


def pad_text(line: str = "", name: str = 'name = "Kick"', notes: str = "notes = [36]") -> str:
    return f"[[pad]]\n{name}\n{notes}\n{line}\n"


def parsed(text: str, folder: Path = Path()) -> Kit:
    return parse_kit(text, folder, "my kit.toml")


def hit(path: Path, level: float = 0.5, frames: int = 500, channels: int = 1, rate: int = 44_100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, np.full((channels, frames), level, np.float32), rate, 16)


def test_every_key_is_read(tmp_path: Path) -> None:
    hit(tmp_path / "sounds" / "snare.wav")
    (tmp_path / "kit.toml").write_text(FULL)
    kit = load_kit(tmp_path / "kit.toml")
    assert (kit.name, kit.seed, kit.path) == ("Mine", 7, tmp_path / "kit.toml")
    assert kit.pads[0] == Pad(
        "Snare",
        (38, 40),
        "snare",
        hit=tmp_path / "sounds" / "snare.wav",
        amount=1.5,
        width=1.0,
        gain_db=-3.0,
        pan=-0.25,
        steps=0,
        choke="left hand",
        seed=99,
        velocity=100,
    )
    assert isinstance(kit.pads[0].width, float)


def test_what_is_left_out_has_a_default() -> None:
    kit = parsed(pad_text(name='name = "kick drum"'))
    assert (kit.name, kit.seed) == ("my kit", 1)
    assert kit.pads == (Pad("kick drum", (36,), "kick", seed=pad_seed(1, "kick drum")),)


def test_a_note_finds_its_pad() -> None:
    kit = parsed(pad_text() + pad_text(name='name = "Snare"', notes="notes = [40, 38]"))
    assert [p and p.name for p in map(kit.pad_for_note, (36, 38, 40, 39))] == ["Kick", "Snare", "Snare", None]


def test_a_note_moves_to_another_pad_but_never_leaves_one_without_notes() -> None:
    kit = parsed(pad_text() + pad_text(name='name = "Snare"', notes="notes = [38, 40]"))
    moved = kit.with_note("Kick", 40)
    assert moved
    assert [pad.notes for pad in moved.pads] == [(36, 40), (38,)]
    assert kit.with_note("Snare", 36) is None
    exchanged = kit.with_note("Snare", 36, exchange=True)
    assert exchanged
    assert [pad.notes for pad in exchanged.pads] == [(38,), (40, 36)]
    assert kit.with_note("Kick", 36, exchange=True) == kit.with_note("Kick", 36) == kit


def test_pad_seeds_are_the_same_everywhere() -> None:
    assert pad_seed(1, "Kick") == 1_017_522_737
    assert len({pad_seed(s, n) for s in range(20) for n in ("Kick", "Snare", "Ünï")}) == 60
    assert all(0 <= pad_seed(s, "Kick") < 2**32 for s in range(20))


def test_a_hit_outside_the_kit_names_the_kits_folder_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KitError, match=rf"'\.\./x\.wav' lies outside the kit's folder {tmp_path};"):
        parsed(pad_text('hit = "../x.wav"'), Path())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", "not TOML"),
        ("x = " + "[" * 5_000, "not TOML"),
        ("x = " + "9" * 5_000, "not TOML"),
        ("", "no pads"),
        ("pad = []", "no pads"),
        ('[pad]\nname = "Kick"', r"head each with \[\[pad\]\]"),
        ("pad = [1]", r"head each with \[\[pad\]\]"),
        ("sede = 1\n" + pad_text(), "'sede' is unknown; did you mean seed"),
        ("zzz = 1\n" + pad_text(), "'zzz' is unknown; choose one of name, seed, effects, pad"),
        ("seed = -1\n" + pad_text(), "seed = -1.*from 0 to 4294967295"),
        ("seed = 1.5\n" + pad_text(), "seed = 1.5.*whole number"),
        ("name = 5\n" + pad_text(), "name = 5.*text in quotes"),
        (pad_text("gain = 1"), "pad 1 'Kick'.*'gain' is unknown; did you mean gain_db"),
        (pad_text(name=""), "name is missing"),
        (pad_text(notes=""), "notes is missing"),
        (pad_text(name='name = " "'), "visible text"),
        (pad_text(name='name = "a\\nb"'), "visible text"),
        (pad_text(name=f'name = "{"kick" * 30}"'), "at most 80"),
        (pad_text(notes="notes = 36"), "notes = 36.*a list of MIDI notes"),
        (pad_text(notes="notes = []"), "a list of MIDI notes"),
        (pad_text(notes="notes = [128]"), "notes holds 128.*0 to 127"),
        (pad_text(notes="notes = [-1]"), "notes holds -1"),
        (pad_text(notes="notes = [36.0]"), "notes holds 36.0"),
        (pad_text(notes="notes = [true]"), "notes holds True"),
        (pad_text(notes="notes = [36, 36]"), "36 twice"),
        (pad_text('class = "snair"'), "'snair' is not a drum class; did you mean snare"),
        (pad_text("class = [1]"), "is not a drum class; choose one of kick"),
        (pad_text(name='name = "Blob"'), "class is missing"),
        (pad_text("amount = 2.1"), "amount = 2.1.*from 0 to 2"),
        (pad_text("amount = true"), "amount = True"),
        (pad_text("width = nan"), "width = nan.*from 0 to 1"),
        (pad_text("gain_db = inf"), "gain_db = inf.*from -60 to 24"),
        (pad_text('pan = "left"'), "pan = 'left'.*from -1 to 1"),
        (pad_text("steps = 2.0"), "steps = 2.0.*whole number from 0 to 64"),
        (pad_text("velocity = 0"), "velocity = 0.*from 1 to 127"),
        (pad_text("choke = 1"), "choke = 1.*text in quotes"),
        (pad_text("hit = 1"), "hit = 1.*text in quotes"),
        (pad_text('hit = "none.wav"'), "hit = 'none.wav' does not exist; copy the sound file into /"),
        (pad_text('hit = "folder"'), "hit = 'folder' is a folder"),
        (pad_text('hit = "folder/../../kick.wav"'), "outside the kit's folder"),
        (pad_text('hit = "/dev/null"'), "outside the kit's folder"),
        (pad_text(f'hit = "{"x" * 300}"'), "cannot be looked up"),
        (pad_text() + pad_text(notes="notes = [35]", name='name = "KICK"'), "pad 2 'KICK'.*an earlier pad's"),
        (pad_text() + pad_text(name='name = "Snare"'), "pad 2 'Snare': note 36 is claimed by pad 'Kick'"),
    ],
)
def test_each_mistake_is_named_with_its_place_and_the_rule(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(KitError, match=rf"^my kit\.toml: .*{words}"):
        parsed(text, tmp_path)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\xff\xfe\x00", "UTF-8"), (b"#" * 4_000_001, "larger than"), (b"RIFF\x00\x00WAVE", "not TOML")],
)
def test_a_file_that_is_no_kit_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "kit.toml").write_bytes(data)
    with pytest.raises(KitError, match=rf"kit\.toml: .*{words}"):
        load_kit(tmp_path / "kit.toml")


def test_a_file_of_another_kind_is_not_asked_to_be_saved_as_text(tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(b"MThd\0\0\0\xe7")
    with pytest.raises(KitError, match=r"song\.mid: is not a kit file; name one, as mykit\.toml"):
        load_kit(tmp_path / "song.mid")


def test_a_kit_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="no such file"):
        load_kit(tmp_path / "none.toml")
    with pytest.raises(KitError, match="is a folder"):
        load_kit(tmp_path)


def test_knobs_are_read_saved_and_checked(tmp_path: Path) -> None:
    text = "tune = -3.5\ndecay = 0.5\nattack = 6\ntone = -2\nstart = 12\nreverse = true"
    kit = parsed(pad_text(text))
    assert kit.pads[0].shaping == Shaping(tune=-3.5, decay=0.5, attack=6, tone=-2, start=12, reverse=True)
    save_kit(kit, tmp_path / "kit.toml")
    assert load_kit(tmp_path / "kit.toml").pads == kit.pads
    assert parsed(pad_text()).pads[0].shaping == Shaping()
    for wrong in ("tune = 25", "decay = 0", "reverse = 1", 'reverse = "yes"', "start = -1"):
        with pytest.raises(KitError, match=wrong.split(" =", maxsplit=1)[0]):
            parsed(pad_text(wrong))


def test_an_editors_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text(pad_text(), "utf-8-sig")
    assert load_kit(tmp_path / "kit.toml").pads[0].name == "Kick"


def test_the_default_kit_covers_a_drum_track_and_needs_no_sound_file() -> None:
    kit = default_kit()
    assert kit.path is None
    assert all(pad.hit is None for pad in kit.pads)
    assert {pad.drum_class for pad in kit.pads} == set(CLASS_NAMES)
    assert len({pad.seed for pad in kit.pads}) == len(kit.pads)
    assert sorted(note for pad in kit.pads for note in pad.notes) == list(range(35, 83))
    hats = [kit.pad_for_note(note) for note in (42, 44, 46)]
    assert {hat.choke for hat in hats if hat} == {"hats"}
    kick = kit.pad_for_note(36)
    assert kick
    assert (kick.width, kick.pan) == (0.0, 0.0)


def test_settings_reach_every_pad_and_nothing_else() -> None:
    kit = default_kit()
    changed = with_settings(kit, amount=0, width=0.5, steps=8)
    assert changed.pads == tuple(replace(p, amount=0.0, width=0.5, steps=8) for p in kit.pads)
    assert with_settings(kit) == kit


def test_another_seed_renews_all_seeds_but_a_pads_own() -> None:
    kit = parsed(pad_text("seed = 5") + pad_text(name='name = "Snare"', notes="notes = [38]"))
    changed = with_settings(kit, seed=2)
    assert (changed.seed, [pad.seed for pad in changed.pads]) == (2, [5, pad_seed(2, "Snare")])
    assert with_settings(changed, seed=1) == kit


def test_another_seed_keeps_the_drums_that_pads_name() -> None:
    kit = parsed(pad_text("drum = 7") + pad_text(name='name = "Snare"', notes="notes = [38]"))
    kick, snare = with_settings(kit, seed=2).pads
    assert (kick.seed, kick.drum_seed) == (pad_seed(2, "Kick"), 7)
    assert snare.drum_seed == snare.seed == pad_seed(2, "Snare")


@pytest.mark.parametrize("name", BUILT_IN)
def test_kits_that_come_along_open_by_their_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kit = load_kit(name)
    assert (kit.path, kit.name.lower()) == (None, name)
    assert len({(pad.kind or pad.drum_class, pad.drum_seed) for pad in kit.pads}) == len(kit.pads)
    save_kit(kit, tmp_path / f"{name}.toml")
    assert load_kit(tmp_path / f"{name}.toml").pads == kit.pads
    # A folder of that name, as of stems, is meant by its path alone.
    (tmp_path / name).mkdir()
    assert open_kit(Path(name)) == (kit, ())


def test_a_setting_out_of_range_is_refused() -> None:
    with pytest.raises(KitError, match=r"amount = 3.*from 0 to 2"):
        with_settings(default_kit(), amount=3)


@pytest.mark.parametrize("text", [".".join("a" * 200_000) + " = 1", "[" + ".".join("a" * 100) + "]\nb = 1"])
def test_a_key_of_too_many_parts_is_refused_before_it_is_read(text: str) -> None:
    with pytest.raises(KitError, match=r"line 2 has a key of more than 32 parts"):
        parsed(f"name = 'a'\n{text}\n")


def test_dots_in_comments_and_names_do_no_harm(tmp_path: Path) -> None:
    hit(tmp_path / "v1.2.3" / "a.b.c.wav")
    kit = parsed(f"# {'.' * 200}\n" + pad_text('hit = "v1.2.3/a.b.c.wav"'), tmp_path)
    assert kit.pads[0].hit == tmp_path / "v1.2.3" / "a.b.c.wav"


def test_a_hit_that_is_a_link_stays_in_the_kits_folder(tmp_path: Path) -> None:
    hit(tmp_path / "outside.wav")
    hit(tmp_path / "real" / "inside.wav")
    (tmp_path / "real" / "link.wav").symlink_to("inside.wav")
    (tmp_path / "real" / "out.wav").symlink_to("../outside.wav")
    # The folder itself may be reached by a link.
    (tmp_path / "kit").symlink_to("real")
    assert parsed(pad_text('hit = "link.wav"'), tmp_path / "kit").pads[0].hit == tmp_path / "kit" / "link.wav"
    with pytest.raises(KitError, match="is a link out of the kit's folder"):
        parsed(pad_text('hit = "out.wav"'), tmp_path / "kit")


def test_a_pipe_is_refused_at_once_as_kit_and_as_hit(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(KitError, match="a device or a pipe"):
        load_kit(tmp_path / "pipe")
    with pytest.raises(KitError, match="a device or a pipe"):
        parsed(pad_text('hit = "pipe"'), tmp_path)


def test_a_name_that_is_no_kit_says_which_come_along() -> None:
    with pytest.raises(KitError, match=r"nope: there is no such kit; .* one of default, electronic, dry"):
        load_kit("nope")


def test_a_loop_is_no_pad_of_a_new_kit(tmp_path: Path) -> None:
    t = np.arange(44_100 * 3) / 44_100
    strokes = np.sin(2 * np.pi * 180 * t) * np.exp(-30 * (t % 0.25))
    write_audio(tmp_path / "hits" / "groove.wav", strokes[None].astype(np.float32), 44_100, 16)
    write_audio(tmp_path / "hits" / "snare.wav", strokes[None, :9_000].astype(np.float32), 44_100, 16)
    made = kit_from_hits("mine", tmp_path / "hits", tmp_path)
    assert made.pads == 1
    assert "snare.wav" in made.text
    assert len(made.skipped) == 1
    assert "groove.wav: it has 12 attacks, like a loop or a melody" in made.skipped[0]

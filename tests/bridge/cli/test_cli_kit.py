import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from stroke_by_stroke import StrokeByStroke
from typer.testing import CliRunner, Result

from ghostnote.bridge.cli.kit import app
from ghostnote.bridge.cli.options import opened_kit
from ghostnote.bridge.errors import AudioFileError, GhostnoteError, InputError, KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.kit import Pad, default_kit, load_kit
from ghostnote.bridge.render.workers import Audio


def pad_text(line: str, name: str = "Kick", notes: str = "[36]") -> str:
    return f'[[pad]]\nname = "{name}"\nnotes = {notes}\n{line}\n'


def hit(path: Path, level: float = 0.5, frames: int = 500, channels: int = 1, rate: int = 44_100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, np.full((channels, frames), level, np.float32), rate, 16)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_new_writes_a_kit_that_plays_like_the_default(tmp_path: Path) -> None:
    result = run("new", tmp_path / "mine.toml")
    assert result.exit_code == 0
    kit = load_kit(tmp_path / "mine.toml")
    assert (kit.name, kit.pads) == ("mine", default_kit().pads)
    assert "# Keys of a pad" in (tmp_path / "mine.toml").read_text()


def test_new_copies_the_kit_that_is_named(tmp_path: Path) -> None:
    assert run("new", tmp_path / "mine.toml", "--from", "dry").exit_code == 0
    assert load_kit(tmp_path / "mine.toml").pads == load_kit("dry").pads
    result = run("new", tmp_path / "other.toml", "--from", "wet")
    assert isinstance(result.exception, KitError)
    assert "choose default, electronic or dry" in str(result.exception)
    assert not (tmp_path / "other.toml").exists()


def test_new_makes_a_pad_of_each_hit_by_its_name(tmp_path: Path) -> None:
    names = ["Kick 1.wav", "Snare.flac", "Open Hat.wav", "low tom.wav", "High Tom.wav", "toms/Mid.wav", "Cowbell.wav"]
    for name in [*names, "more/snare.wav", 'deep/Kick "2" [x].aiff']:
        hit(tmp_path / "hits" / name)
    (tmp_path / "hits" / "notes.txt").write_text("not a sound")
    result = run("new", tmp_path / "mine.toml", "--hits", tmp_path / "hits")
    assert result.exit_code == 0, result.output
    kit = load_kit(tmp_path / "mine.toml")
    assert {pad.name: (pad.drum_class, pad.notes) for pad in kit.pads} == {
        'Kick "2" [x]': ("kick", (36,)),
        "Kick 1": ("kick", (35,)),
        "snare": ("snare", (38,)),
        "Snare 2": ("snare", (40,)),
        "Open Hat": ("open_hat", (46,)),
        "low tom": ("tom", (41, 43)),
        "Mid": ("tom", (45, 47)),
        "High Tom": ("tom", (48, 50)),
        "Cowbell": ("perc", (56,)),
    }
    assert all(pad.hit and pad.hit.is_file() for pad in kit.pads)
    text = (tmp_path / "mine.toml").read_text()
    assert "# Every drum is one of your own hits" in text
    assert "generates every drum" not in text
    assert "# Keys of a pad" in text
    assert [pad.choke for pad in kit.pads if pad.choke] == ["hats"]


def test_new_says_what_it_left_out_and_why(tmp_path: Path) -> None:
    hit(tmp_path / "kick.wav")
    hit(tmp_path / "blob.wav")
    (tmp_path / "snare.wav").write_bytes(b"")
    (tmp_path / "tom.wav").mkdir()
    result = run("new", tmp_path / "mine.toml", "--hits", tmp_path)
    assert result.exit_code == 0
    assert {pad.name for pad in load_kit(tmp_path / "mine.toml").pads} == {"kick", "blob"}
    for words in ("snare.wav: is empty", "tom.wav: is a folder"):
        assert f"warning: left out {tmp_path}/{words}" in result.output
    assert f"note: {tmp_path}/blob.wav: no name says its drum; sounds like a" in result.output


def test_new_makes_one_pad_of_a_drum_s_layers_and_round_robins_and_general_midi_knows_its_notes(tmp_path: Path) -> None:
    for layer, level in ((1, 0.1), (2, 0.4)):
        for turn in (1, 2):
            hit(tmp_path / "hits" / f"Snare_v{layer}_rr{turn}.wav", level)
    for name in ("Splash", "Crash", "Cow Bell", "Ride Bell", "Half Open HH", "Open HH", "hh_foot"):
        hit(tmp_path / "hits" / f"{name}.wav")
    assert run("new", tmp_path / "mine.toml", "--hits", tmp_path / "hits").exit_code == 0
    pads = {pad.name: pad for pad in load_kit(tmp_path / "mine.toml").pads}
    assert [(hit.low, hit.high, hit.file.name) for hit in pads["Snare"].hits] == [
        (1, 64, "Snare_v1_rr1.wav"),
        (1, 64, "Snare_v1_rr2.wav"),
        (65, 127, "Snare_v2_rr1.wav"),
        (65, 127, "Snare_v2_rr2.wav"),
    ]
    assert {name: pad.notes for name, pad in pads.items() if name != "Snare"} == {
        "Open HH": (46,),
        "Half Open HH": (24,),
        "hh_foot": (44,),
        "Splash": (55,),
        "Crash": (49, 57, 52),
        "Ride Bell": (53,),
        "Cow Bell": (56,),
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["there.toml"], "already there"),
        (["kit.txt"], r"ends in \.toml"),
        (["new.toml", "--hits", "none"], "no such file or folder"),
        (["new.toml", "--hits", "empty"], "holds no hit"),
        (["empty/new.toml", "--hits", "other"], "beside or above its hits"),
    ],
)
def test_new_refuses_what_cannot_become_a_kit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.toml").write_text("mine")
    hit(Path("other/kick.wav"))
    Path("empty").mkdir()
    result = run("new", *arguments)
    assert isinstance(result.exception, KitError)
    assert re.search(words, str(result.exception))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "other", "there.toml"]
    assert Path("there.toml").read_text() == "mine"


def test_hits_that_lie_elsewhere_are_named_with_the_way_to_copy_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hit(tmp_path / "my hits" / "snare.wav")
    (tmp_path / "kits").mkdir()
    monkeypatch.chdir(tmp_path / "kits")
    message = str(run("new", "one.toml", "--hits", "../my hits").exception)
    assert message.startswith(f"../my hits: lies outside {tmp_path / 'kits'}; ")
    command = "ghostnote kit import '../my hits' -o one.toml"
    assert f"or let {command} copy them" in message
    assert run(*shlex.split(command)[2:]).exit_code == 0
    assert load_kit("one.toml").pads[0].hit == Path("one hits/snare.wav")


def test_one_sound_file_is_a_kit_of_one_pad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hit(Path("Snare.wav"))
    assert run("new", "one.toml", "--hits", "Snare.wav").output == "one.toml: 1 pad\n"
    assert run("import", "Snare.wav", "-o", "two.toml").exit_code == 0
    for kit in (load_kit("one.toml"), load_kit("two.toml"), opened_kit(Path("Snare.wav"))):
        (pad,) = kit.pads
        assert (pad.name, pad.drum_class, pad.hit) == ("Snare", "snare", Path("Snare.wav"))


def test_a_text_that_is_called_a_sound_file_is_no_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("snare.wav").write_text("hello")
    for command in (("new", "one.toml", "--hits", "snare.wav"), ("show", "snare.wav"), ("import", "snare.wav")):
        result = run(*command)
        assert isinstance(result.exception, KitError)
        assert str(result.exception) == "snare.wav: is not a sound file, or is damaged; export it again"


def test_a_kit_of_hits_has_no_stems_of_a_song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hit(Path("hits/kick.wav"))
    hit(Path("hits/stems/02_Snare_38.wav"))
    Path("hits/stems/.ghostnote-stems").write_text("02_Snare_38.wav")
    assert run("new", "one.toml", "--hits", "hits").output == "one.toml: 1 pad\n"
    for command in (("new", "two.toml", "--hits", "hits/stems"), ("import", "hits/stems")):
        assert "the stems of a song in it are no hits" in str(run(*command).exception)


def test_new_leaves_out_hits_whose_path_is_not_utf_8(tmp_path: Path) -> None:
    good, bad = tmp_path / "hits" / "kick.wav", tmp_path / "hits" / os.fsdecode(b"Trommeln \xfc") / "snare.wav"
    try:
        bad.parent.mkdir(parents=True)
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    write_audio(good, np.full((1, 500), 0.5, np.float32), 44_100)
    bad.write_bytes(good.read_bytes())
    result = run("new", str(tmp_path / "kit.toml"), "--hits", str(tmp_path / "hits"))
    assert result.exit_code == 0, result.output
    assert "Trommeln \\udcfc" in result.stderr
    assert [pad.name for pad in load_kit(tmp_path / "kit.toml").pads] == ["kick"]


def test_new_replaces_a_file_when_told_to(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text("old")
    assert run("new", tmp_path / "kit.toml", "--force").exit_code == 0
    assert load_kit(tmp_path / "kit.toml").pads == default_kit().pads


def test_map_shows_and_writes_a_kit_for_a_drum_module(tmp_path: Path) -> None:
    result = run("map", "roland", "-o", tmp_path / "td.toml")
    assert result.exit_code == 0, result.output
    assert re.search(r"^ 22  Closed Hat$", result.stdout, re.MULTILINE)
    kit = load_kit(tmp_path / "td.toml")
    assert [pad.name for pad in kit.pads if 26 in pad.notes] == ["Open Hat"]
    silent = {pad.name for pad in default_kit().pads} - {pad.name for pad in kit.pads}
    assert all(name in result.stderr for name in silent)


def test_map_replaces_no_file_by_itself_and_writes_kits_alone(tmp_path: Path) -> None:
    kept = {name: tmp_path / name for name in ("keep.toml", "keep.txt")}
    for path in kept.values():
        path.write_text("mine")
    for name, force, words in (
        ("keep.toml", (), "is already there; choose another name, or add --force"),
        ("keep.txt", (), r"ends in \.toml"),
        ("keep.txt", ("--force",), r"ends in \.toml"),
    ):
        with pytest.raises(KitError, match=words):
            raise run("map", "gm", "-o", kept[name], *force).exception or AssertionError
        assert kept[name].read_text() == "mine"
    assert run("map", "gm", "-o", kept["keep.toml"], "--force").exit_code == 0
    assert load_kit(kept["keep.toml"]).pads == default_kit().pads


def test_a_map_that_leaves_no_pad_a_note_writes_no_kit(tmp_path: Path) -> None:
    silent = tmp_path / "silent.toml"
    silent.write_text("[notes]\n" + "".join(f"{note} = 0\n" for note in range(128)))
    refused = run("map", silent, "-o", tmp_path / "kit.toml").exception
    assert isinstance(refused, KitError)
    assert "no note plays any pad of the kit" in str(refused)
    assert not (tmp_path / "kit.toml").exists()
    assert "warning: no note plays " in run("map", silent).stderr


def test_check_counts_and_describes(tmp_path: Path) -> None:
    hit(tmp_path / "k.wav", channels=8, rate=96_000)
    (tmp_path / "kit.toml").write_text(pad_text('hit = "k.wav"') + pad_text("", "Clap", "[39, 1]"))
    result = run("check", tmp_path / "kit.toml")
    assert result.exit_code == 0
    assert "96000 Hz, 8 channels, 0.01 s" in result.output
    assert "2 pads on 3 notes, 1 with a hit of their own, 1 generated" in result.output


@pytest.mark.parametrize(("frames", "level"), [(0, 0.5), (44_100, 0.0)])
def test_check_opens_every_hit(tmp_path: Path, frames: int, level: float) -> None:
    hit(tmp_path / "k.wav", level, frames)
    (tmp_path / "kit.toml").write_text(pad_text('hit = "k.wav"'))
    error = run("check", tmp_path / "kit.toml").exception
    assert isinstance(error, AudioFileError)
    assert error.exit_code == 2


def test_check_passes_on_the_kits_mistake(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text(pad_text("pan = 3"))
    error = run("check", tmp_path / "kit.toml").exception
    assert isinstance(error, GhostnoteError)
    assert "pan = 3" in str(error)


def test_show_lists_every_pad(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text(pad_text("", "Kick [b]x") + pad_text("", "Clap", "[1]"))
    shown, default = run("show", tmp_path / "kit.toml").output, run("show").output
    assert "Kick [b]x" in shown
    assert "Clap" in shown
    for pad in default_kit().pads:
        # Long names are folded.
        assert all(word in default for word in (*pad.name.split(), str(pad.drum_seed)))


def test_the_commands_load_nothing_heavy_before_they_run() -> None:
    code = "import sys, ghostnote.bridge.cli.kit; print({'numpy', 'pedalboard', 'soxr'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


class OneSound(StrokeByStroke):
    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        noise = np.random.default_rng((pad.seed, index)).uniform(-0.3, 0.3, (2, 3_000))
        return (noise * velocity / 127).astype(np.float32)


@dataclass(frozen=True)
class SourceSpec:
    model: Path | None
    rate: int

    def open(self) -> OneSound:
        return OneSound()


class Opened:
    card = SimpleNamespace(credits=("Somebody's recordings",))

    @classmethod
    def open(cls, model: Path | None) -> "Opened":
        return cls()


@pytest.fixture
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, entry in (("stroke_source", "SourceSpec", SourceSpec), ("model", "Generator", Opened)):
        fake = ModuleType(f"ghostnote.bridge.inference.{module}")
        setattr(fake, name, entry)
        monkeypatch.setitem(sys.modules, fake.__name__, fake)


@pytest.mark.usefixtures("_fake_model")
def test_a_kit_is_exported_to_other_samplers(tmp_path: Path) -> None:
    kit = tmp_path / "kit.toml"
    kit.write_text('[[pad]]\nname = "Kick"\nnotes = [36]\n[[pad]]\nname = "Hat"\nnotes = [42]\n')
    options = ("-n", "2", "--velocities", "3", "--author", "Me", "--jobs", "1")
    result = run("export", str(kit), "--to", "sfz,hydrogen", "-o", str(tmp_path / "out"), *options)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "sfz" / "kit" / "kit.sfz").read_text()
    assert text.count("<region>") == 2 * 2 * 3
    assert "// Me" in text
    assert "Somebody's recordings" not in text
    assert "- Somebody's recordings" in (tmp_path / "out" / "sfz" / "kit" / "CREDITS-MODEL.txt").read_text()
    assert (tmp_path / "out" / "hydrogen" / "kit.h2drumkit").is_file()


@pytest.mark.usefixtures("_fake_model")
def test_an_unknown_sampler_is_an_error(tmp_path: Path) -> None:
    result = run("export", str(tmp_path / "kit.toml"), "--to", "kontakt", "-o", str(tmp_path))
    assert isinstance(result.exception, InputError)


def test_import_writes_a_kit_and_says_what_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("soft", "hard"):
        hit(tmp_path / "source" / f"{name}.wav", frames=4_000)
    (tmp_path / "source" / "My Snare.sfz").write_text(
        "<group> key=38 cutoff=900\n<region> hivel=60 sample=soft.wav\n<region> lovel=61 sample=hard.wav\n"
    )
    result = run("import", "source/My Snare.sfz")
    assert result.exit_code == 0, result.output
    assert result.stdout == "My Snare.toml: 1 pad of 2 hits, on 1 note\n"
    assert "note: not understood, and left as it is: cutoff (2)" in result.stderr
    assert "General MIDI's for its note: soft (snare)" in result.stderr
    (pad,) = load_kit(tmp_path / "My Snare.toml").pads
    assert [(hit.low, hit.high) for hit in pad.hits] == [(1, 60), (61, 127)]
    refused = run("import", "source/My Snare.sfz").exception
    assert isinstance(refused, KitError)
    assert refused.exit_code == run("new", "My Snare.toml").exception.exit_code == 2
    assert run("import", "source", "-o", "My Snare.toml", "--force").exit_code == 0
    assert "2 hits" in run("show", "source").stdout
    assert "soft.wav, 44100 Hz, mono" in run("check", "source/My Snare.sfz").stdout


@pytest.mark.parametrize(("name", "shown"), [("", "'' or '.'"), (".", "'' or '.'"), ("a/kit.txt", "a/kit.txt")])
def test_a_kit_file_that_does_not_end_in_toml_is_named(tmp_path: Path, name: str, shown: str) -> None:
    for arguments in (("new", name), ("import", tmp_path, "-o", name)):
        assert str(run(*arguments).exception).startswith(f"{shown}: a kit file's name ends in .toml")


def test_import_refuses_what_is_no_kit(tmp_path: Path) -> None:
    assert isinstance(run("import", tmp_path / "gone").exception, KitError)
    assert isinstance(run("import", tmp_path, "-o", tmp_path / "kit.txt").exception, KitError)


def test_effects_are_shown_checked_and_kept_by_a_map(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    mix = "effects = [{ type = 'limiter' }, { type = 'gain', bypass = true }]\n"
    path.write_text(mix + pad_text("effects = [{ type = 'reverb' }]"))
    for command in ("show", "check"):
        lines = run(command, path).output.splitlines()
        assert lines[-2:] == ["effects of Kick: reverb", "effects of the mix: limiter, gain (bypassed)"]
    assert run("map", "gm", path, "-o", tmp_path / "mapped.toml").exit_code == 0
    assert load_kit(tmp_path / "mapped.toml").all_effects == load_kit(path).all_effects
    path.write_text(pad_text("effects = [{ type = 'gain' }, { plugin = '/no/x.vst3', bypass = true }]"))
    result = run("check", path)
    assert result.exit_code == 0
    assert "warning: pad 'Kick': effect 2 is bypassed, and /no/x.vst3 is missing" in result.stderr
    path.write_text(pad_text(f"effects = [{{ type = 'convolution', impulse_response = '{path.name}' }}]"))
    result = run("check", path)
    assert isinstance(result.exception, KitError)
    assert "pad 'Kick': effect 1, convolution: " in str(result.exception)

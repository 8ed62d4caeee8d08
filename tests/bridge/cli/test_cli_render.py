import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import mido
import numpy as np
import pytest
import typer
from stroke_by_stroke import StrokeByStroke
from typer.testing import CliRunner, Result

from ghostnote.bridge.cli.demo import demo
from ghostnote.bridge.cli.figure import figure
from ghostnote.bridge.cli.render import render
from ghostnote.bridge.errors import GhostnoteError, InputError, OutputError
from ghostnote.bridge.inference import drum_cache
from ghostnote.bridge.io.audio_file import read_audio, write_audio
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.midi.demo_groove import groove
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.smf_reader import read_midi
from ghostnote.bridge.render.workers import Audio


class Seeded(StrokeByStroke):
    """Noise that tells the pad's settings by its seed and level."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        draw = np.random.default_rng((pad.seed, index, pad.steps, round(100 * pad.width)))
        return (draw.uniform(-0.1, 0.1, (2, 2000)) * pad.amount).astype(np.float32)


@dataclass(frozen=True)
class SourceSpec:
    model: Path | None
    rate: int

    def open(self) -> Seeded:
        return Seeded()


@pytest.fixture(autouse=True)
def _fake_strokes(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("ghostnote.bridge.inference.stroke_source")
    fake.SourceSpec = SourceSpec  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ghostnote.bridge.inference.stroke_source", fake)
    monkeypatch.setattr(drum_cache, "CachedSpec", lambda spec: spec)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    messages = [mido.Message("note_on", note=note, velocity=90, time=240) for note in (36, 38, 42, 36, 3, 3)]
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack(messages))
    file.save(tmp_path / "song.mid")
    return tmp_path / "song.mid"


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(render)
    app.command()(demo)
    app.command()(figure)
    jobs = () if arguments[0] == "figure" else ("--jobs", "1")
    return CliRunner().invoke(app, [*map(str, arguments), *jobs])


def test_a_song_becomes_a_mix_and_stems(song: Path, tmp_path: Path) -> None:
    result = run("render", song, "-o", tmp_path / "out.wav", "--stems", tmp_path / "stems", "--rate", 44_100)
    assert result.exit_code == 0, result.output
    audio, rate = read_audio(tmp_path / "out.wav")
    assert rate == 44_100
    assert audio.shape[1] == round(6 * 0.25 * 44_100)
    assert len(list((tmp_path / "stems").glob("*.wav"))) == 3
    assert "4 hits" in result.stdout
    assert "LUFS" in result.stdout
    assert "no pad of kit 'Default' plays note 3, 2 times: add it to a pad's notes" in result.stderr


def test_the_drums_of_a_song_are_its_channel_10_and_a_map_says_what_notes_mean(tmp_path: Path) -> None:
    messages = [
        mido.Message("note_on", note=note, velocity=90, time=240, channel=channel)
        for note, channel in ((40, 0), (22, 9), (58, 9), (41, 0))
    ]
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack(messages))
    file.save(tmp_path / "song.mid")
    result = run("render", tmp_path / "song.mid", "-o", tmp_path / "out.wav", "--map", "roland")
    assert result.exit_code == 0, result.output
    assert "channel 10 alone is played" in result.stdout
    assert "2 hits (Closed Hat 1, " in result.stdout
    assert "Floor Tom 1)" in result.stdout
    result = run("render", tmp_path / "song.mid", "-o", tmp_path / "all.wav", "--channel", "all")
    assert "plays note 22, once" in result.stderr
    moved = tmp_path / "moved.mid"
    result = run(
        "render",
        tmp_path / "song.mid",
        "-o",
        tmp_path / "moved.wav",
        "--map",
        "roland",
        "--timing",
        "5",
        "--midi-out",
        moved,
    )
    assert result.exit_code == 0, result.output
    written = [m for m in mido.MidiFile(moved) if m.type == "note_on"]
    assert [(m.note, m.channel) for m in written] == [(40, 0), (22, 9), (58, 9), (41, 0)]


def test_overrides_reach_every_pad(song: Path, tmp_path: Path) -> None:
    def take(*options: object) -> bytes:
        assert run("render", song, "-o", tmp_path / "out.wav", *options).exit_code == 0
        return (tmp_path / "out.wav").read_bytes()

    plain = take()
    options = (("--seed", 5), ("--amount", 0.5), ("--steps", 7), ("--width", 0.77), ("--tail", 1), ("--bits", 16))
    takes = [take(*pair) for pair in options]
    assert len({plain, *takes}) == 7
    assert take("--seed", 5) == takes[0]


def test_bad_values_and_files_are_refused(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    assert run("render", song, "-o", out, "--amount", 3).exit_code == 2
    assert isinstance(run("render", song, "-o", out, "--bits", 12).exception, InputError)
    assert isinstance(run("render", song, "-o", tmp_path / "out.mp3").exception, InputError)
    assert isinstance(run("render", tmp_path / "none.mid", "-o", out).exception, InputError)
    assert isinstance(run("render", song, "-o", out, "--kit", tmp_path / "none.toml").exception, GhostnoteError)
    assert [path.name for path in tmp_path.iterdir()] == ["song.mid"]


def test_the_demo_writes_its_groove_as_a_midi_file_that_plays_the_same(tmp_path: Path) -> None:
    for name in ("song.mid", "song-2.mid"):
        result = run("demo", "-o", tmp_path / "groove.wav", "--rate", 8_000, "--midi", tmp_path / "song.mid")
        assert result.exit_code == 0, result.output
        assert f"{tmp_path / name}: the groove" in result.stdout
    assert (tmp_path / "song.mid").read_bytes() == (tmp_path / "song-2.mid").read_bytes()
    read, made = read_midi(tmp_path / "song.mid", 48_000), groove(48_000)
    played, meant = (
        sorted((event.note, event.frame, event.velocity) for event in song.events if isinstance(event, NoteOn))
        for song in (read, made)
    )
    assert [(note, velocity) for note, _, velocity in played] == [(note, velocity) for note, _, velocity in meant]
    assert max(abs(one[1] - other[1]) for one, other in zip(played, meant, strict=True)) <= 2
    assert abs(read.end_frame - made.end_frame) <= 2
    assert read.warnings == ()


def test_the_demo_writes_a_mix_and_stems_beside_it(tmp_path: Path) -> None:
    result = run("demo", "-o", tmp_path / "groove.flac", "--rate", 8_000)
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (tmp_path / "groove_stems").glob("[!.]*"))
    assert len(names) >= 8
    assert all(name.endswith(".flac") for name in names)
    assert (tmp_path / "groove.flac").exists()


def test_a_feel_moves_notes_and_is_written_as_midi(song: Path, tmp_path: Path) -> None:
    assert run("render", song, "-o", tmp_path / "plain.wav").exit_code == 0
    options = ("--timing", 10, "--dynamics", 5, "--midi-out", tmp_path / "played.mid")
    result = run("render", song, "-o", tmp_path / "felt.wav", *options)
    assert result.exit_code == 0, result.output
    assert "feel: notes come 10" in result.stdout
    assert (tmp_path / "plain.wav").read_bytes() != (tmp_path / "felt.wav").read_bytes()
    assert run("render", tmp_path / "played.mid", "-o", tmp_path / "again.wav").exit_code == 0


def test_what_moves_no_note_is_named(song: Path, tmp_path: Path) -> None:
    played = tmp_path / "demo.mid"
    run("demo", "-o", tmp_path / "demo.wav", "--rate", 8_000, "--midi", played)
    for path, option, value in ((played, "--groove", played), (song, "--swing", 60)):
        result = run("render", path, "-o", tmp_path / "out.wav", "--rate", 8_000, option, value)
        assert f"warning: {option} " in result.stderr
        assert result.stderr.count("warning: --") == 1


def test_a_drummer_of_a_genre_moves_notes_by_the_seed(song: Path, tmp_path: Path) -> None:
    written = []
    for at, options in enumerate((("funk",), ("funk",), ("funk", "--seed", 2), ("jazz", "--drummer-amount", 0.5))):
        midi = tmp_path / f"{at}.mid"
        result = run("render", song, "-o", tmp_path / f"{at}.wav", "--drummer", *options, "--midi-out", midi)
        assert "feel: notes come" in result.stdout
        written.append(midi.read_bytes())
    assert written[0] == written[1]
    assert len(set(written)) == 3
    result = run("render", song, "-o", tmp_path / "x.wav", "--drummer", "polka")
    assert "choose one of rock, jazz, funk, hiphop" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--drummer-amount", 0.5), "--drummer-amount 0.5 says how much"), (("--swing-grid", 8), "add --swing 60")],
)
def test_an_option_that_acts_on_another_asks_for_it(song: Path, tmp_path: Path, options: tuple, words: str) -> None:
    result = run("render", song, "-o", tmp_path / "x.wav", *options)
    assert words in str(result.exception)
    assert not (tmp_path / "x.wav").exists()


def test_midi_out_without_a_feel_is_a_mistake(song: Path, tmp_path: Path) -> None:
    result = run("render", song, "-o", tmp_path / "out.wav", "--midi-out", tmp_path / "played.mid")
    assert isinstance(result.exception, InputError)
    assert "--timing" in str(result.exception)


@pytest.mark.parametrize("option", ["--groove", "--swing"])
def test_a_feel_that_changes_nothing_is_said_and_the_song_is_written(tmp_path: Path, option: str) -> None:
    mix, midi, plain, song = (tmp_path / name for name in ("out.wav", "played.mid", "plain.wav", "straight.mid"))
    score = mido.MidiFile(ticks_per_beat=480)
    score.tracks.append(mido.MidiTrack())
    for _ in range(8):
        score.tracks[0] += [mido.Message("note_on", channel=9, note=36, velocity=90, time=0),
                            mido.Message("note_off", channel=9, note=36, time=480)]  # fmt: skip
    score.save(song)
    value = song if option == "--groove" else 60
    result = run("render", song, "-o", mix, option, value, "--midi-out", midi)
    assert result.exit_code == 0, result.output
    assert f"warning: {option}" in result.stderr
    assert run("render", song, "-o", plain).exit_code == 0
    assert mix.read_bytes() == plain.read_bytes()
    assert run("render", midi, "-o", tmp_path / "again.wav").exit_code == 0


@pytest.mark.parametrize("command", [("demo", "--midi"), ("render", "song.mid", "--swing", 60, "--midi-out")])
def test_a_midi_file_is_called_like_one(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*command, "played.wav", "-o", "out.wav")
    assert "played.wav: is a MIDI file, whose name ends in .mid or .midi" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["song.mid"]


def test_without_a_name_the_outputs_get_one_and_replace_nothing(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (("render", song), ("demo", "--rate", 8_000)):
        first, second = run(*command), run(*command)
        assert (first.exit_code, second.exit_code) == (0, 0), second.output
        assert "is there already" not in first.stderr
        assert "is there already: wrote" in second.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "demo-2.wav", "demo-2_stems", "demo.wav", "demo_stems", "song-2.wav", "song.mid", "song.wav",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", "song.mid", "-o", "song.mid"),
        ("render", "song.mid", "-o", "out.wav", "--timing", 5, "--midi-out", "song.mid"),
        ("render", "song.mid", "-o", "out.wav", "--timing", 5, "--kit", "kit.toml", "--midi-out", "kit.toml"),
        ("render", "song.mid", "-o", "out.wav", "--timing", 5, "--kit", "kit.toml", "--midi-out", "hit.wav"),
        ("render", "song.mid", "-o", "hit.wav", "--kit", "kit.toml"),
        ("render", "song.mid", "-o", "out.wav", "--timing", 5, "--midi-out", "./out.wav"),
        ("figure", "hit.wav", "-o", "hit.wav"),
    ],
)
def test_no_command_overwrites_what_it_reads(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_audio(tmp_path / "hit.wav", np.full((1, 2_000), 0.1, np.float32), 8_000)
    save_kit(Kit("mine", 1, (Pad("Kick", (36,), "kick", seed=1, hit=tmp_path / "hit.wav"),)), tmp_path / "kit.toml")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = run(*arguments)
    assert isinstance(result.exception, OutputError), result.output
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_where_no_terminal_shows_progress_no_empty_line_is_printed(song: Path, tmp_path: Path) -> None:
    result = run("render", song, "-o", tmp_path / "out.wav")
    assert result.exit_code == 0
    assert all(line.strip() for line in (result.stdout + result.stderr).splitlines())

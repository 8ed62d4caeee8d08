"""`ghostnote melody` takes files and folders, and says what cannot be played."""

import re
from pathlib import Path

import mido
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import read_audio, write_audio

RATE = 44_100


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    for at, name in enumerate(("a.mid", "sub/b.MID", "sub/a.mid")):
        path = tmp_path / "songs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        notes = [mido.Message("note_on", note=45 + at, velocity=90), mido.Message("note_on", note=50, velocity=90)]
        mido.MidiFile(tracks=[mido.MidiTrack(notes)]).save(path)
    return tmp_path / "songs"


def written(path: Path, ring: float, noise: float) -> Path:
    t = np.arange(RATE // 3) / RATE
    sound = ring * np.sin(2 * np.pi * 120 * t) + noise * np.random.default_rng(1).standard_normal(len(t))
    write_audio(path, (0.5 * np.exp(-8 * t) * sound)[None].astype(np.float32), RATE, 16)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["melody", *map(str, arguments), "--steps", "0"])


def test_a_scale_is_refused_before_the_drum_is_read(songs: Path, tmp_path: Path) -> None:
    refused = run(songs, "--drum", tmp_path / "none.wav", "--scale", "Zz")
    assert "'Zz' is not a scale" in str(refused.exception)


def test_a_folder_of_songs_is_played_and_a_broken_one_is_named(songs: Path, tmp_path: Path) -> None:
    (songs / "broken.mid").write_text("no song")
    tom = written(tmp_path / "tom.wav", 1.0, 0.02)
    result = run(songs, "--drum", tom, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "broken.mid: is not a MIDI file" in result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.wav", "sub"]
    assert sorted(path.name for path in (tmp_path / "out" / "sub").iterdir()) == ["a.wav", "b.wav"]
    assert np.abs(read_audio(tmp_path / "out" / "sub" / "b.wav")[0]).max() > 0.1
    assert "warning" not in result.output
    one = run(songs, "--drum", tom, "-o", tmp_path / "one.wav")
    assert isinstance(one.exception, InputError)
    assert "is one file, and there are 4 sources; give a folder" in str(one.exception)


def test_a_hit_without_a_pitch_is_refused_and_one_that_is_not_clear_is_said(songs: Path, tmp_path: Path) -> None:
    hat = written(tmp_path / "hat.wav", 0.005, 1.0)
    result = run(songs / "a.mid", "--drum", hat, "-o", tmp_path / "x.wav")
    assert isinstance(result.exception, InputError)
    assert "hat.wav: hardly anything of it rings" in str(result.exception)
    assert not (tmp_path / "x.wav").exists()
    snare = written(tmp_path / "snare.wav", 0.5, 0.8)
    result = run(songs / "a.mid", "--drum", snare, "-o", tmp_path / "x.wav")
    assert result.exit_code == 0
    assert (
        "of its energy is at its pitch, 120 Hz, and a clear one has 30%: the melody may be hard to hear"
        in result.output
    )


def test_an_unknown_kind_is_said_before_anything_is_read() -> None:
    result = run("none.mid", "--kind", "spoon")
    assert "--kind spoon: choose one of tom, 808, bell" in str(result.exception)


def test_an_output_means_a_file_or_a_folder_as_for_other_tools(
    songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tom = written(tmp_path / "tom.wav", 1.0, 0.02)
    # A song that is given twice, and beside its folder, is played once.
    result = run(songs / "a.mid", songs / "a.mid", songs, "--drum", tom, "-o", tmp_path / "take.1")
    assert result.exit_code == 0, result.output
    found = sorted(str(path.relative_to(tmp_path / "take.1")) for path in (tmp_path / "take.1").rglob("*.wav"))
    assert found == ["a.wav", "sub/a.wav", "sub/b.wav"]
    assert run(songs / "a.mid", "--drum", tom).exit_code == 0
    assert (tmp_path / "a-melody.wav").exists()
    assert run(songs / "sub", "--drum", tom).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "sub-melody").iterdir()) == ["a.wav", "b.wav"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "x.mp3"), "x.mp3: .mp3 cannot be written; choose one of .wav"),
        (("--bits", 20), "--bits 20: no format has that; choose one of 16, 24, 32"),
        (("--class", "tom"), "--class tom: is of a --drum; without one give --kind"),
        (("--drum", "tom.wav", "--kind", "bell"), "--kind bell: is of a drum that the model makes; leave it out"),
        (("--drum", "tom.wav", "--class", "gong"), "'gong' is not a drum class; choose one of kick"),
        (("--drum", "four.wav"), "four.wav: the hit has 4 channels: give 2 at most"),
    ],
)
def test_what_cannot_be_played_is_said_once_before_any_song(
    arguments: tuple[object, ...], said: str, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tom = read_audio(written(tmp_path / "tom.wav", 1.0, 0.02))[0]
    write_audio(tmp_path / "four.wav", np.repeat(tom, 4, axis=0), RATE, 16)
    result = run(songs, *arguments)
    assert isinstance(result.exception, InputError)
    assert said in str(result.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["four.wav", "songs", "tom.wav"]


@pytest.mark.parametrize(
    ("options", "moved"), [(("--octaves", -1), ", 1 octave down,"), (("--octaves", 1), ", 1 octave up,"), ((), "")]
)
def test_a_note_that_is_too_far_is_named_as_the_song_has_it(
    options: tuple[object, ...], moved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "tom.wav", 1.0, 0.02)
    notes = [mido.Message("note_on", note=note, velocity=90) for note in (2, 47, 111)]
    mido.MidiFile(tracks=[mido.MidiTrack(notes)]).save("far.mid")
    said = str(run("far.mid", "--drum", "tom.wav", *options).exception)
    assert re.search(rf"far.mid on tom.wav: note (2|111){moved} is \d+ Hz, more than three octaves", said), said
    assert "give other --octaves, or another drum" in said


def test_a_folder_without_songs_is_named(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert f"{tmp_path}: no MIDI files found; ghostnote reads .mid, .midi" in str(result.exception)

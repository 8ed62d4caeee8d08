"""Kits whose offsets and starts leave nothing of their files."""

from pathlib import Path

import mido
import numpy as np
import pytest
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import KitError
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.kit.unheard import unheard
from ghostnote.bridge.midi.smf_reader import read_midi
from ghostnote.bridge.render.score import song_score

RATE = 44_100


def kit(folder: Path, line: str) -> Path:
    sound = np.pad(np.random.default_rng(1).uniform(-0.5, 0.5, RATE // 2), (RATE // 10, 0))
    write_audio(folder / "snare.wav", sound[None].astype(np.float32), RATE, 24)
    (folder / "kit.toml").write_text(f"[[pad]]\nname = 'Snare'\nnotes = [38]\n{line}\n")
    return folder / "kit.toml"


@pytest.mark.parametrize("offset", [599, 5000])
def test_an_offset_behind_the_end_is_a_mistake_of_the_kit(tmp_path: Path, offset: int) -> None:
    path = kit(tmp_path, f"hits = [{{ file = 'snare.wav', offset = {offset} }}]")
    with pytest.raises(KitError, match=f"pad 1 'Snare': stroke 1 'snare.wav' of hits: offset = {offset} ms leaves"):
        load_kit(path)


@pytest.mark.parametrize(
    ("line", "is_silent"),
    [
        ("hit = 'snare.wav'\nstart = 499", False),
        ("hit = 'snare.wav'\nstart = 501", True),
        ("hits = [{ file = 'snare.wav', offset = 400 }]\nstart = 150", False),
        ("hits = [{ file = 'snare.wav', offset = 400 }]\nstart = 250", True),
        ("start = 1000", False),
    ],
)
def test_a_start_behind_the_end_is_said_by_check(tmp_path: Path, line: str, is_silent: bool) -> None:
    path = kit(tmp_path, line)
    assert len([*unheard(load_kit(path).pads)]) == is_silent
    said = CliRunner().invoke(app, ["kit", "check", str(path)]).output
    assert ("warning: pad 'Snare' is silent: start = " in said) == is_silent


def test_a_start_behind_the_end_is_said_by_render(tmp_path: Path) -> None:
    played = load_kit(kit(tmp_path, "hit = 'snare.wav'\nstart = 600"))
    mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("note_on", note=38, velocity=90)])]).save(tmp_path / "song.mid")
    (said,) = song_score(read_midi(tmp_path / "song.mid", RATE), played, None).warnings
    assert said == "pad 'Snare' is silent: start = 600 ms leaves nothing of its hits; give a smaller one"

from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest

import ghostnote.bridge.kit.kit as kits
from ghostnote.bridge.dsp.conversion import resample
from ghostnote.bridge.errors import InputError, MissingExtraError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.kit import load_kit
from ghostnote.bridge.tools import onsets
from ghostnote.bridge.tools.loop_kit import write_loop
from ghostnote.bridge.tools.slice import Stroke, slice_loop

RATE = 44_100
STEP = 0.25


def drum(name):
    """Return a drum of the default kit, as it comes along, (frames,)."""
    path = sorted(Path(kits.__file__).parent.glob(f"drums/*/{name}-*.flac"))[0]
    audio, rate = read_audio(path)
    return resample(audio[:1], rate, RATE)[0]


def loop(rows, silence=0.1):
    """Return a loop (1, frames) of drums by name, a character a step, and the seconds of its strokes."""
    steps = max(map(len, rows.values()))
    mix = np.zeros(int((silence + steps * STEP + 1) * RATE), np.float32)
    for name, row in rows.items():
        hit = drum(name)
        for at in (at for at, mark in enumerate(row) if mark == "x"):
            first = int((silence + at * STEP) * RATE)
            part = hit[: len(mix) - first]
            mix[first : first + len(part)] += 0.4 * part
    struck = sorted({at for row in rows.values() for at, mark in enumerate(row) if mark == "x"})
    return mix[None], [silence + at * STEP for at in struck]


@pytest.fixture(scope="module")
def strokes():
    pytest.importorskip("aubio")
    audio, times = loop({"acoustic_kick": "x...x...x...x...", "acoustic_snare": "..x...x...x...x."})
    return slice_loop(audio, RATE), times


def test_each_stroke_is_found_when_it_comes(strokes):
    found, times = strokes
    assert len(found) == len(times)
    assert np.abs([stroke.start / RATE - time for stroke, time in zip(found, times, strict=True)]).max() < 0.01


def test_a_faint_click_is_not_loud_for_being_the_only_one_of_its_kind():
    pytest.importorskip("aubio")
    audio, _ = loop({"acoustic_kick": "x...x...x......."})
    click = drum("claves")
    at = audio.shape[1] - RATE
    audio[0, at : at + len(click)] += 5e-3 * click[: audio.shape[1] - at]
    found = slice_loop(audio, RATE)
    assert [stroke.velocity > 100 for stroke in found[:3]] == [True] * 3
    assert found[-1].start > at - 500
    assert found[-1].velocity < 80


def test_a_ghost_note_alone_is_softer_than_the_backbeats_under_a_hat():
    pytest.importorskip("aubio")
    audio, _ = loop({"acoustic_closed_hat": "x.x.x.x.x.x.x.x.", "acoustic_snare": "..x...x...x...x."})
    ghosts = [int((0.1 + step * STEP) * RATE) for step in (5, 13)]
    for at in ghosts:
        hit = 0.06 * drum("acoustic_snare")
        audio[0, at : at + len(hit)] += hit[: audio.shape[1] - at]
    snares = {s.start: s.velocity for s in slice_loop(audio, RATE) if "snare" in s.classes}
    soft = {start: v for start, v in snares.items() if min(abs(start - at) for at in ghosts) < 500}
    assert len(soft) == 2
    assert max(soft.values()) < 70
    assert sum(v > 110 for v in snares.values()) == 4


def test_kick_and_snare_are_told_apart_and_the_same_drum_sounds_alike(strokes):
    found, _ = strokes
    assert [stroke.classes[0] for stroke in found] == ["kick", "snare"] * 4
    assert len({stroke.sound for stroke in found[::2]}) == 1
    assert {stroke.sound for stroke in found[::2]}.isdisjoint(stroke.sound for stroke in found[1::2])


def test_a_stroke_is_cut_before_the_next_one_and_fades(strokes):
    found, _ = strokes
    for stroke, following in pairwise(found):
        assert stroke.end <= following.start
        assert np.abs(stroke.audio[:, -1]).max() < 1e-3


def test_files_play_the_loop_again(strokes, tmp_path):
    found, times = strokes
    written = write_loop(found, RATE, tmp_path / "cut", "beat", with_kit=True)
    assert len(written.hits) == len(found)
    kit = load_kit(written.kit)
    now, events = 0.0, []
    for message in mido.MidiFile(written.midi):
        now += message.time
        if message.type == "note_on" and message.velocity:
            events.append((now, kit.pad_for_note(message.note).drum_class))
    assert [seconds for seconds, _ in events] == pytest.approx(times, abs=0.01)
    assert [name for _, name in events] == ["kick", "snare"] * 4


def test_drums_struck_together_are_several_notes_and_no_pad_where_each_is_struck_alone(tmp_path):
    audio = np.full((1, 500), 0.1, np.float32)
    names = (("kick",), ("closed_hat",), ("kick", "closed_hat"))
    made = [Stroke(at * 10_000, at * 10_000 + 500, audio, classes, 0.9, 100, at) for at, classes in enumerate(names)]
    written = write_loop(made, RATE, tmp_path / "cut", "beat", with_kit=True)
    kit = load_kit(written.kit)
    assert sorted(pad.drum_class for pad in kit.pads) == ["closed_hat", "kick"]
    notes = [m.note for m in mido.MidiFile(written.midi).tracks[0] if m.type == "note_on" and m.velocity]
    assert len(notes) == 4
    assert "1 stroke of several drums at once" in written.notes[0]


def test_a_kick_that_is_only_struck_under_hats_is_the_kick_of_the_kit(tmp_path):
    audio = np.full((1, 500), 0.1, np.float32)
    names = (("closed_hat",), ("closed_hat", "kick"), ("closed_hat",))
    made = [
        Stroke(at * 10_000, at * 10_000 + 500, audio, classes, 0.9, 100, len(classes))
        for at, classes in enumerate(names)
    ]
    kit = load_kit(write_loop(made, RATE, tmp_path / "cut", "beat", with_kit=True).kit)
    assert kit.pad_for_note(36).name == "kick and closed hat"
    assert kit.pad_for_note(36).choke is None
    assert kit.pad_for_note(42).drum_class == "closed_hat"


def test_a_hat_under_a_snare_is_as_loud_as_it_is_alone(tmp_path):
    audio = np.full((1, 500), 0.1, np.float32)
    struck = ((("snare",), 127), (("closed_hat",), 60), (("closed_hat", "snare"), 120))
    made = [
        Stroke(at * 10_000, at * 10_000 + 500, audio, classes, 0.9, velocity, at)
        for at, (classes, velocity) in enumerate(struck)
    ]
    written = write_loop(made, RATE, tmp_path / "cut", "beat")
    notes = [(m.note, m.velocity) for m in mido.MidiFile(written.midi).tracks[0] if m.type == "note_on" and m.velocity]
    assert notes == [(38, 127), (42, 60), (38, 120), (42, 60)]


def test_strokes_too_short_to_be_hits_are_left_out(tmp_path):
    audio = np.full((1, 500), 0.1, np.float32)
    kick, click = (
        Stroke(at, at + frames, audio[:, :frames], ("kick",), 0.9, 100, at) for at, frames in ((0, 500), (9_000, 1))
    )
    written = write_loop([kick, click], RATE, tmp_path / "cut", "beat", with_kit=True)
    assert written.notes == ("left out 1 stroke of less than 2 ms: no hits",)
    assert [pad.hit for pad in load_kit(written.kit).pads] == list(written.hits)
    with pytest.raises(InputError, match="no stroke in it lasts 2 ms"):
        write_loop([click], RATE, tmp_path / "click", "beat", with_kit=True)
    assert not (tmp_path / "click").exists()


def test_without_aubio_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "aubio", None)
    with pytest.raises(MissingExtraError, match="slice"):
        onsets.find_onsets(np.ones(1000, np.float32))


def test_silence_is_said():
    with pytest.raises(InputError, match="is silent"):
        slice_loop(np.zeros((1, 1000)), RATE)


def test_strokes_of_one_drum_are_one_pad_whatever_rings_below_them(tmp_path):
    pytest.importorskip("aubio")
    audio, _ = loop({"acoustic_kick": "x...x...x...x...", "acoustic_closed_hat": ".xxx.xxx.xxx.xxx"})
    found = slice_loop(audio, RATE)
    hats = [stroke for stroke in found if stroke.classes == ("closed_hat",)]
    assert len(hats) >= 10
    assert len({stroke.sound for stroke in hats}) == 1
    kit = load_kit(write_loop(found, RATE, tmp_path, "loop", with_kit=True).kit)
    (hat,) = [pad for pad in kit.pads if pad.drum_class == "closed_hat"]
    assert 2 <= len(hat.hits) <= len(hats)

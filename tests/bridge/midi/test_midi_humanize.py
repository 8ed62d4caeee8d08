from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest

from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.kit.kit import default_kit
from ghostnote.bridge.midi.events import Aftertouch, Event, NoteOn, PedalMove, Silence
from ghostnote.bridge.midi.humanize import Feel, deviations, drift, humanize_song
from ghostnote.bridge.midi.smf_reader import MidiSong, read_midi
from ghostnote.bridge.midi.smf_writer import write_humanized

RATE = 48_000
KIT = default_kit()
STEP = RATE // 8


def song(*events: Event) -> MidiSong:
    return MidiSong(events, max(e.frame for e in events) + RATE, RATE, 480)


def beat(steps: int = 2_000) -> MidiSong:
    """Sixteenths on the hat, with kicks and snares at the very same frames."""
    events: list[Event] = []
    for step in range(steps):
        events += [NoteOn(RATE + step * STEP, 42, 80)]
        events += [NoteOn(RATE + step * STEP, 38 if step % 8 else 36, 90)] if step % 4 == 0 else []
    return song(*events)


def correlation(values: np.ndarray, lag: int) -> float:  # type: ignore[type-arg]
    return float(np.corrcoef(values[:-lag], values[lag:])[0, 1])


def test_deviations_are_as_large_as_asked_and_push_nowhere() -> None:
    score = beat()
    for timing, dynamics in ((2.0, 3.0), (10.0, 8.0)):
        late, louder = deviations(score, humanize_song(score, KIT, Feel(timing, dynamics)))
        assert late.std() == pytest.approx(timing, rel=0.05)
        assert abs(late.mean()) < 0.05
        assert louder.std() == pytest.approx(dynamics, rel=0.05)
        assert abs(louder.mean()) < 0.1
        assert abs(late).max() <= 3.2 * timing


def test_nothing_asked_nothing_moved() -> None:
    score = beat(100)
    assert humanize_song(score, KIT, Feel()).song == score
    late, louder = deviations(score, humanize_song(score, KIT, Feel(timing_ms=3.0)))
    assert late.std() > 2
    assert (louder == 0).all()


def test_the_drift_remembers_as_one_over_f_noise_does() -> None:
    power = np.mean([np.abs(np.fft.rfft(drift(4096, np.random.default_rng(s)))) ** 2 for s in range(40)], axis=0)
    bins = np.arange(4, 1024)
    slope = np.polyfit(np.log(bins), np.log(power[4:1024]), 1)[0]
    assert -1.2 < slope < -0.8


def test_timing_is_correlated_over_many_notes_unlike_jitter() -> None:
    score = beat()
    late, _ = deviations(score, humanize_song(score, KIT, Feel(timing_ms=5.0)))
    hats = late[[e.note == 42 for e in score.events if isinstance(e, NoteOn)]]
    assert correlation(hats, 1) > 0.4
    assert correlation(hats, 16) > 0.1


def test_limbs_share_the_drift_and_have_a_part_of_their_own() -> None:
    score = beat()
    late, _ = deviations(score, humanize_song(score, KIT, Feel(timing_ms=5.0)))
    notes = [e for e in score.events if isinstance(e, NoteOn)]
    pairs = np.array([(late[i], late[i + 1]) for i, e in enumerate(notes[:-1]) if e.frame == notes[i + 1].frame])
    assert 0.6 < np.corrcoef(pairs.T)[0, 1] < 0.95
    assert np.abs(pairs[:, 0] - pairs[:, 1]).max() > 0.5


def test_flams_stay_rigid() -> None:
    gap = round(0.010 * RATE)
    flams = [NoteOn(at + late, 38, 40 + late // 10) for at in range(RATE, 90 * RATE, STEP) for late in (0, gap)]
    take = humanize_song(song(*flams), KIT, Feel(timing_ms=15.0, dynamics=5.0))
    frames = [event.frame for event in take.placed]
    assert {b - a for a, b in zip(frames[::2], frames[1::2], strict=True)} == {gap}
    assert len({a - e.frame for a, e in zip(frames[::2], flams[::2], strict=True)}) > 100


def test_no_drum_s_notes_change_their_order_even_in_a_drunken_roll() -> None:
    events: list[Event] = []
    for step in range(3_000):
        note = (42, 46, 44)[step % 3]
        events.append(NoteOn(RATE + step * round(0.02 * RATE), note, 70))
        if step % 7 == 0:
            events.append(PedalMove(RATE + step * round(0.02 * RATE) + 10, 127 * (step % 2)))
    take = humanize_song(song(*events), KIT, Feel(timing_ms=100.0))
    frames = [event.frame for event in take.placed]
    assert frames == sorted(frames)
    assert np.std(np.diff(frames)) > 100
    assert [type(e) for e in take.song.events] == [type(e) for e in events]


def test_chokes_move_with_what_they_choke() -> None:
    score = song(NoteOn(RATE, 49, 100), Aftertouch(RATE + 200, 49, 90), NoteOn(2 * RATE, 36, 90), Silence(3 * RATE))
    take = humanize_song(score, KIT, Feel(timing_ms=20.0))
    assert take.placed[1].frame - take.placed[0].frame == 200
    assert take.placed[0].frame != RATE
    assert len(take.song.events) == 4


def test_a_seed_is_a_take() -> None:
    score = beat(50)
    takes = [humanize_song(score, KIT, Feel(4.0, 4.0, seed)) for seed in (1, 1, 2)]
    assert takes[0] == takes[1]
    assert takes[0] != takes[2]


def test_a_lone_note_and_a_first_frame_are_no_trouble() -> None:
    one = song(NoteOn(0, 36, 127))
    assert humanize_song(one, KIT, Feel(20.0, 10.0)).placed == one.events
    many = song(*(NoteOn(step * STEP, 36, 127) for step in range(200)))
    take = humanize_song(many, KIT, Feel(50.0, 20.0))
    assert min(event.frame for event in take.placed) >= 0
    assert all(1 <= e.velocity <= 127 for e in take.placed if isinstance(e, NoteOn))
    assert len({e.velocity for e in take.placed if isinstance(e, NoteOn)}) > 10


@pytest.fixture
def score(tmp_path: Path) -> Path:
    file = mido.MidiFile(ticks_per_beat=480, type=1)
    tempi = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=400_000, time=0)])
    tempi.append(mido.MetaMessage("set_tempo", tempo=700_000, time=4_800))
    notes = mido.MidiTrack([mido.MetaMessage("track_name", name="Drums", time=0)])
    for step in range(60):
        notes.append(mido.Message("note_on", note=(36, 38)[step % 2], velocity=90, time=120))
        notes.append(mido.Message("note_off", note=(36, 38)[step % 2], velocity=0, time=60))
        notes.append(mido.Message("control_change", control=7, value=step, time=0))
    file.tracks += [tempi, notes]
    file.save(tmp_path / "score.mid")
    return tmp_path / "score.mid"


def test_the_midi_file_says_what_was_played(score: Path, tmp_path: Path) -> None:
    take = humanize_song(read_midi(score, RATE), KIT, Feel(8.0, 6.0))
    write_humanized(score, take, tmp_path / "out.mid")
    again = read_midi(tmp_path / "out.mid", RATE)
    assert len(again.events) == len(take.song.events)
    for event, wanted in zip(again.events, take.song.events, strict=True):
        assert abs(event.frame - wanted.frame) <= 4
        assert replace(event, frame=0) == replace(wanted, frame=0)


def test_the_midi_file_keeps_all_else(score: Path, tmp_path: Path) -> None:
    take = humanize_song(read_midi(score, RATE), KIT, Feel(8.0, 6.0))
    write_humanized(score, take, tmp_path / "out.mid")
    old, new = mido.MidiFile(score), mido.MidiFile(tmp_path / "out.mid")
    assert new.ticks_per_beat == 9_600
    assert [m.tempo for m in new.tracks[0] if m.type == "set_tempo"] == [400_000, 700_000]
    assert new.tracks[1].name == "Drums"
    assert sorted(m.type for m in new.tracks[1]) == sorted(m.type for m in old.tracks[1])
    lengths, began, now = set(), {}, 0
    for message in new.tracks[1]:
        now += message.time
        if message.type == "note_on":
            began[message.note] = now
        elif message.type == "note_off":
            lengths.add(now - began[message.note])
    assert lengths == {60 * 20}


def test_a_damaged_score_is_refused(score: Path, tmp_path: Path) -> None:
    take = humanize_song(read_midi(score, RATE), KIT, Feel(8.0))
    (tmp_path / "cut.mid").write_bytes(score.read_bytes()[:200])
    with pytest.raises(MidiFileError, match="damaged"):
        write_humanized(tmp_path / "cut.mid", take, tmp_path / "out.mid")
    assert not (tmp_path / "out.mid").exists()

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from smf_fakes import smf, track

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


def test_a_score_that_changed_meanwhile_is_refused(score: Path, tmp_path: Path) -> None:
    take = humanize_song(read_midi(score, RATE), KIT, Feel(8.0))
    (tmp_path / "cut.mid").write_bytes(score.read_bytes()[:200])
    with pytest.raises(MidiFileError, match="has changed"):
        write_humanized(tmp_path / "cut.mid", take, tmp_path / "out.mid")
    assert not (tmp_path / "out.mid").exists()


NOTES = b"\x00\x99\x24\x64\x60\x99\x26\x50\x30\x26\x00\x60\x89\x24\x40\x83\x00\x99\x31\x7f\x08\xa9\x31\x40"
END = b"\x60\xff\x2f\x00"
ODD = {
    "key signature": b"\x00\xff\x59\x02\x0c\x07",
    "short key signature": b"\x00\xff\x59\x01\x0c",
    "time signature": b"\x00\xff\x58\x04\x05\xff\x00\x00",
    "long time signature": b"\x00\xff\x58\x06\x05\x02\x18\x08\x01\x02",
    "SMPTE offset": b"\x00\xff\x54\x05\xff\x7f\x63\x63\x63",
    "short SMPTE offset": b"\x00\xff\x54\x01\x20",
    "unknown meta event": b"\x00\xff\xc0\x03\x01\xff\x99",
    "text in Latin-1": b"\x00\xff\x01\x02\xe9\xff",
    "tempo of zero": b"\x00\xff\x51\x03\x00\x00\x00",
    "tempo of two bytes": b"\x00\xff\x51\x02\x90\x00",
    "tempo of four bytes": b"\x00\xff\x51\x04\x09\x00\x00\x00",
    "running status after sysex": b"\x00\x99\x2a\x40\x10\xf0\x03\x01\x02\xf7\x10\x2a\x41\x10\xff\x01\x00\x10\x2e\x42",
    "torn sysex": b"\x00\xf0\x02\x01\x02\x10\xf7\x02\x03\xf7\x00\xf0\x00",
    "realtime bytes": b"\x00\xf8\x05\xfe\x05\xfa\x10\x99\x2a\x40\x00\xf8\x10\x2a\x00",
    "system common": b"\x00\xf1\x20\x00\xf2\x01\x02\x00\xf6",
    "a fast tempo": b"\x00\xff\x51\x03\x00\x00\x01\x00\x99\x2a\x40\x90\x00\xff\x51\x03\x07\xa1\x20",
    "channels": b"\x00\x90\x24\x40\x10\xb0\x04\x7f\x10\xb3\x78\x00\x10\xb3\x7b\x00\x10\xd0\x55\x10\xc2\x05",
}
WRAP: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda body: smf(track(body + NOTES + END)),
    "no end of track": lambda body: smf(track(body + NOTES)),
    "RIFF": lambda body: b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + smf(track(body + NOTES + END)),
    "many tracks of type 0": lambda body: smf(track(body + NOTES + END), track(b""), track(NOTES + END), kind=0),
    "too many tracks declared": lambda body: smf(track(body + NOTES + END), count=7),
    "too few tracks declared": lambda body: smf(track(body + NOTES + END), track(NOTES + END), count=1),
    "SMPTE time": lambda body: smf(track(body + NOTES + END), division=(256 - 29) << 8 | 80),
    "no division": lambda body: smf(track(body + NOTES + END), division=0),
    "one tick a beat": lambda body: smf(track(body + b"\x00\xff\x51\x03\x00\x10\x00" + NOTES + END), division=1),
    "a cut track": lambda body: smf(track(NOTES + END), track(body + NOTES + b"\x00\x99", length=900)),
    "a wild delta time": lambda body: smf(track(body + NOTES + b"\xff\xff\xff\x7f\x99\x24\x40"), division=96),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("wrap", WRAP)
def test_what_render_reads_midi_out_writes(wrap: str, odd: str, tmp_path: Path) -> None:
    path, out = tmp_path / "odd.mid", tmp_path / "out.mid"
    path.write_bytes(WRAP[wrap](ODD[odd]))
    score = read_midi(path, RATE)
    for feel in (Feel(), Feel(6.0, 5.0)):
        take = humanize_song(score, KIT, feel)
        write_humanized(path, take, out)
        again = read_midi(out, RATE)
        assert again.warnings == ()
        for event, wanted in zip(sorted(again.events, key=_kind), sorted(take.placed, key=_kind), strict=True):
            assert replace(event, frame=0) == replace(wanted, frame=0)
            assert abs(event.frame - wanted.frame) <= (4 if feel.timing_ms else 0)


def _kind(event: Event) -> tuple[str, int]:
    return repr(replace(event, frame=0)), event.frame


def test_a_position_stays_before_its_note_in_the_written_song(tmp_path: Path) -> None:
    messages = []
    for number in range(40):
        messages.append(mido.Message("control_change", channel=9, control=16, value=number * 3, time=120))
        messages.append(mido.Message("note_on", channel=9, note=38, velocity=90))
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack(messages))
    file.save(tmp_path / "song.mid")
    score = read_midi(tmp_path / "song.mid", RATE)
    write_humanized(tmp_path / "song.mid", humanize_song(score, KIT, Feel(20.0)), tmp_path / "played.mid")
    positions = [
        event.position for event in read_midi(tmp_path / "played.mid", RATE).events if isinstance(event, NoteOn)
    ]
    assert positions == [number * 3 / 127 for number in range(40)]

import os
import random
import struct
from pathlib import Path

import mido
import pytest
from smf_fakes import smf, track

from ghostnote.bridge.errors import MidiFileError
from ghostnote.bridge.live.take.format import read_take
from ghostnote.bridge.midi import smf_tracks
from ghostnote.bridge.midi.events import Aftertouch, NoteOn, PedalMove, Silence
from ghostnote.bridge.midi.smf_reader import MAX_SONG_SECONDS, MidiSong, read_midi

RATE = 48_000
END = b"\x00\xff\x2f\x00"


def song_of(folder: Path, data: bytes, rate: int = RATE) -> MidiSong:
    path = folder / "song.mid"
    path.write_bytes(data)
    return read_midi(path, rate)


def save(folder: Path, *tracks: list[mido.Message], ppq: int = 480) -> Path:
    file = mido.MidiFile(ticks_per_beat=ppq)
    file.tracks.extend(mido.MidiTrack(t) for t in tracks)
    file.save(folder / "song.mid")
    return folder / "song.mid"


def on(note: int, velocity: int = 100, time: int = 0, channel: int = 9) -> mido.Message:
    return mido.Message("note_on", note=note, velocity=velocity, time=time, channel=channel)


def test_tempo_map_runs_over_all_tracks(tmp_path: Path) -> None:
    tempos = [
        mido.MetaMessage("set_tempo", tempo=500_000, time=0),
        mido.MetaMessage("set_tempo", tempo=250_000, time=960),
    ]
    song = read_midi(save(tmp_path, tempos, [on(36, time=480), on(38, time=960)], [on(42, time=1920)]), RATE)
    assert [(e.note, e.frame) for e in song.events if isinstance(e, NoteOn)] == [
        (36, RATE // 2),
        (38, RATE + RATE // 4),
        (42, RATE + RATE // 2),
    ]
    assert song.end_frame == RATE + RATE // 2
    assert song.warnings == ()


def test_times_agree_with_mido(tmp_path: Path) -> None:
    draw = random.Random(5)
    tempos = [mido.MetaMessage("set_tempo", tempo=draw.randint(200_000, 900_000), time=113) for _ in range(40)]
    path = save(tmp_path, tempos, [on(draw.randint(35, 59), time=draw.randint(0, 90)) for _ in range(60)], ppq=96)
    seconds, expected = 0.0, []
    for message in mido.MidiFile(path):
        seconds += message.time
        expected += [round(seconds * RATE)] if message.type == "note_on" else []
    assert [e.frame for e in read_midi(path, RATE).events] == expected


def test_an_hour_does_not_drift(tmp_path: Path) -> None:
    song = read_midi(save(tmp_path, [on(36, time=100) for _ in range(7 * 72)], ppq=7), 44_100)
    assert song.events[-1].frame == 3600 * 44_100


def test_running_status_and_note_offs(tmp_path: Path) -> None:
    body = b"\x00\x99\x24\x64\x60\x24\x00\x60\x26\x40\x00\x89\x26\x40" + END
    song = song_of(tmp_path, smf(track(body), kind=0, division=96))
    assert song.events == (NoteOn(0, 36, 100), NoteOn(RATE, 38, 64))


def test_running_status_survives_meta_and_system_exclusive(tmp_path: Path) -> None:
    body = b"\x00\x99\x24\x64\x00\xff\x01\x02hi\x00\x26\x40\x00\xf0\x02\x01\xf7\x00\x2a\x41" + END
    assert [e.note for e in song_of(tmp_path, smf(track(body))).events if isinstance(e, NoteOn)] == [36, 38, 42]


def test_one_tick_keeps_the_order_of_tracks_and_of_the_file(tmp_path: Path) -> None:
    song = read_midi(save(tmp_path, [on(42), on(36), on(49)], [on(38, channel=0), on(36)]), RATE)
    assert [e.note for e in song.events if isinstance(e, NoteOn)] == [42, 36, 49, 38, 36]


def test_controllers_and_pressure_have_their_channel_and_all_notes_off_cuts_no_one_shot(tmp_path: Path) -> None:
    messages = [
        on(46),
        mido.Message("control_change", control=4, value=127, time=480),
        mido.Message("polytouch", note=49, value=90),
        mido.Message("polytouch", note=49, value=0),
        mido.Message("control_change", control=7, value=90),
        mido.Message("control_change", control=120, value=0, channel=3),
        mido.Message("control_change", control=123, value=0),
        mido.Message("aftertouch", value=70, channel=5),
        mido.Message("aftertouch", value=0, channel=5),
        mido.Message("program_change", program=4),
    ]
    half = RATE // 2
    assert read_midi(save(tmp_path, messages), RATE).events[1:] == (
        PedalMove(half, 127, 0),
        Aftertouch(half, 49, 90, 0),
        Silence(half, 3),
        Aftertouch(half, None, 70, 5),
    )


@pytest.mark.parametrize(("fps", "rate_hz"), [(24, 24.0), (25, 25.0), (29, 30_000 / 1001), (30, 30.0)])
def test_smpte_time_ignores_tempo(tmp_path: Path, fps: int, rate_hz: float) -> None:
    body = b"\x00\xff\x51\x03\x00\x00\x01\x87\x68\x99\x24\x64" + END
    song = song_of(tmp_path, smf(track(body), division=(256 - fps) << 8 | 40))
    assert song.events[0].frame == round(1000 / (rate_hz * 40) * RATE)


@pytest.mark.parametrize("division", [0, 0xE700, 0xFF28])
def test_a_meaningless_division_is_replaced_and_told(tmp_path: Path, division: int) -> None:
    song = song_of(tmp_path, smf(track(b"\x83\x60\x99\x24\x64" + END), division=division))
    assert song.events[0].frame == RATE // 2
    assert "480 ticks" in song.warnings[0]


def test_zero_tempo_is_ignored_and_told(tmp_path: Path) -> None:
    body = b"\x00\xff\x51\x03\x00\x00\x00\x83\x60\x99\x24\x64" + END
    song = song_of(tmp_path, smf(track(body)))
    assert song.events[0].frame == RATE // 2
    assert "tempo at tick 0" in song.warnings[0]


def test_type_2_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MidiFileError, match=r"type 2.*save it as type 0 or 1"):
        song_of(tmp_path, smf(track(b"\x00\x99\x24\x64" + END), kind=2))


@pytest.mark.parametrize("data", [b"", b"MThd", b"RIFF....WAVEfmt ", b"\0" * 500, b"MThd\0\0\0\6\0"])
def test_no_midi_file_at_all(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MidiFileError, match="is not a MIDI file"):
        song_of(tmp_path, data)


def test_no_notes(tmp_path: Path) -> None:
    with pytest.raises(MidiFileError, match="no notes; name a file that has some"):
        read_midi(save(tmp_path, [on(36, velocity=0), mido.Message("control_change", control=4, value=9)]), RATE)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(MidiFileError, match="no such file"):
        read_midi(tmp_path / "none.mid", RATE)
    with pytest.raises(MidiFileError, match="is a folder"):
        read_midi(tmp_path, RATE)


def test_a_riff_wrapper_is_looked_into(tmp_path: Path) -> None:
    song = song_of(tmp_path, b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + smf(track(b"\x00\x99\x24\x64" + END)))
    assert song.events == (NoteOn(0, 36, 100),)


def test_a_truncated_track_keeps_what_came_before(tmp_path: Path) -> None:
    good = track(b"\x00\x99\x24\x64" + END)
    bad = track(b"\x00\x99\x26\x64\x60\x99\x26\x64\x60\x99\x28", length=40)
    song = song_of(tmp_path, smf(good, bad))
    assert [e.note for e in song.events if isinstance(e, NoteOn)] == [36, 38, 38]
    assert "track 2 is cut short: 11 of 40 bytes" in song.warnings[0]
    assert "middle of an event" in song.warnings[1]


def test_a_wrong_length_does_not_swallow_the_next_track(tmp_path: Path) -> None:
    first = track(b"\x00\x99\x24\x64" + END, length=5000)
    song = song_of(tmp_path, smf(first, track(b"\x00\x99\x26\x64" + END)))
    assert [e.note for e in song.events if isinstance(e, NoteOn)] == [36, 38]
    assert len(song.warnings) == 1


def test_garbage_between_tracks_is_skipped_and_told(tmp_path: Path) -> None:
    alien = b"XFIH" + struct.pack(">I", 3) + b"abc"
    one = track(b"\x00\x99\x24\x64" + END)
    song = song_of(tmp_path, smf(alien + b"\x81\x02\x03" + one, one + b"\0\0\0"))
    assert len(song.events) == 2
    assert song.warnings == ("3 bytes at 25 belong to no track and are skipped",)


def test_a_missing_track_is_told(tmp_path: Path) -> None:
    song = song_of(tmp_path, smf(track(b"\x00\x99\x24\x64" + END), count=3))
    assert "promises 3 tracks, 1 are there" in song.warnings[0]


def test_a_wild_delta_time_is_left_out_and_told(tmp_path: Path) -> None:
    body = b"\x00\x99\x24\x64\xff\xff\xff\x7f\x99\x26\x64" + END
    song = song_of(tmp_path, smf(track(body), division=1))
    assert song.events == (NoteOn(0, 36, 100),)
    assert song.end_frame < MAX_SONG_SECONDS * RATE
    assert "1 events later than 4 hours" in song.warnings[0]


def test_hundreds_of_mutations_raise_nothing_of_their_own(tmp_path: Path) -> None:
    tempos = [mido.MetaMessage("set_tempo", tempo=400_000 + i, time=i) for i in range(9)]
    notes = [on(36 + i % 20, time=i % 70) for i in range(60)]
    whole = save(tmp_path, tempos, notes, [mido.Message("sysex", data=(1, 2, 3)), *notes]).read_bytes()
    draw = random.Random(11)
    read = refused = 0
    for _ in range(600):
        data = bytearray(whole)
        for _ in range(draw.choice((0, 1, 2, 8, 60))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        if draw.random() < 0.4:
            at = draw.randrange(len(data))
            data[at : at + draw.randrange(9)] = draw.randbytes(draw.randrange(9))
        if draw.random() < 0.4:
            del data[draw.randrange(len(data)) :]
        try:
            song = song_of(tmp_path, bytes(data))
        except MidiFileError:
            refused += 1
            continue
        frames = [event.frame for event in song.events]
        assert frames == sorted(frames)
        assert 0 <= song.end_frame <= MAX_SONG_SECONDS * RATE
        read += 1
    assert read > 200
    assert refused > 20


def test_a_file_of_too_many_events_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smf_tracks, "MAX_EVENTS", 8)
    notes = b"\x00\x99" + b"\x24\x40\x00" * 3
    assert len(song_of(tmp_path, smf(track(notes[:-1] + END), track(notes[:-1] + END))).events) == 6
    with pytest.raises(MidiFileError, match="more than 8 events"):
        song_of(tmp_path, smf(*[track(notes[:-1] + END)] * 3))


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.mid")
    with pytest.raises(MidiFileError, match="a device or a pipe"):
        read_midi(tmp_path / "song.mid", RATE)
    assert read_take(tmp_path / "song.mid") is None

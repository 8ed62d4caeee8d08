from pathlib import Path

import mido
import numpy as np
import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import default_kit
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.groove import placing, read_groove
from ghostnote.bridge.midi.humanize import Feel, humanize_song
from ghostnote.bridge.midi.smf_reader import read_midi

RATE = 48_000
KIT = default_kit()
TICKS = 480
SIXTEENTH = TICKS // 4


def write(path: Path, notes: list[tuple[int, int, int]], tempo: int = 500_000) -> Path:
    """Write notes as (tick, note, velocity)."""
    file = mido.MidiFile(ticks_per_beat=TICKS)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    now = 0
    for tick, note, velocity in sorted(notes):
        track.append(mido.Message("note_on", channel=9, note=note, velocity=velocity, time=tick - now))
        now = tick
    file.tracks.append(track)
    file.save(path)
    return path


def straight(path: Path, bars: int = 2, tempo: int = 500_000) -> Path:
    return write(path, [(step * SIXTEENTH, 42, 80) for step in range(16 * bars)], tempo)


@pytest.mark.parametrize(("grid", "step", "late"), [(16, 1, 0.16), (16, 2, 0), (8, 2, 0.32), (8, 1, 0.16), (8, 4, 0)])
def test_a_swing_moves_the_second_of_each_pair(tmp_path: Path, grid: int, step: int, late: float) -> None:
    song = read_midi(straight(tmp_path / "song.mid", tempo=1_000_000), RATE)
    moved = placing(song, KIT, None, swing=66, grid=grid)
    # In eighths of a beat that lasts a second.
    assert moved.late[step] == pytest.approx(late * RATE / 2)
    assert (moved.louder == 1).all()
    take = humanize_song(song, KIT, Feel(), moved).song
    assert take.events[step].frame == song.events[step].frame + round(late * RATE / 2)


def test_no_swing_moves_nothing(tmp_path: Path) -> None:
    song = read_midi(straight(tmp_path / "song.mid"), RATE)
    assert not placing(song, KIT, None).late.any()


@pytest.mark.parametrize(("swing", "grid"), [(49, 16), (76, 16), (float("nan"), 16), (60, 4)])
def test_a_swing_out_of_range_is_refused(tmp_path: Path, swing: float, grid: int) -> None:
    song = read_midi(straight(tmp_path / "song.mid"), RATE)
    with pytest.raises(InputError, match="--swing"):
        placing(song, KIT, None, swing, grid)


def test_a_groove_carries_timing_and_accents_over_limb_by_limb(tmp_path: Path) -> None:
    late = SIXTEENTH // 6
    bar = [(step * SIXTEENTH + late * (step % 4 == 2), 42, 100 if step % 4 == 0 else 60) for step in range(16)]
    bar += [(0, 36, 90), (8 * SIXTEENTH - 10, 36, 90)]
    groove = read_groove(
        write(tmp_path / "groove.mid", [(t + 1920 * n, *rest) for n in (1, 2) for t, *rest in bar]), KIT
    )
    song = read_midi(write(tmp_path / "song.mid", [(s * SIXTEENTH, n, 70) for s in range(16) for n in (36, 42)]), RATE)
    moved = humanize_song(song, KIT, Feel(), placing(song, KIT, groove)).placed
    hats = [event for event in moved if isinstance(event, NoteOn) and event.note == 42]
    kicks = [event for event in moved if isinstance(event, NoteOn) and event.note == 36]
    step = RATE / 2 / 4
    assert hats[2].frame == pytest.approx(2 * step + step / 6, abs=1)
    assert hats[4].frame == 4 * step
    assert kicks[8].frame == pytest.approx(8 * step - 10 / TICKS * RATE / 2, abs=1)
    # 100 beside 60 has a mean of 70.
    assert [hats[0].velocity, hats[1].velocity] == [100, 60]
    assert kicks[0].velocity == 70
    # Where the foot never played, the groove is everyone's.
    assert kicks[2].frame == hats[2].frame


def test_a_part_s_own_groove_leaves_it_as_it_is(tmp_path: Path) -> None:
    notes = [(step * SIXTEENTH + step % 3, 42 if step % 4 else 38, 40 + 5 * step) for step in range(16)]
    path = write(tmp_path / "part.mid", notes)
    song = read_midi(path, RATE)
    moved = placing(song, KIT, read_groove(path, KIT))
    np.testing.assert_allclose(moved.late, 0, atol=1e-9)
    np.testing.assert_allclose(moved.louder, 1)


def test_a_groove_needs_some_notes(tmp_path: Path) -> None:
    path = write(tmp_path / "few.mid", [(0, 36, 90), (480, 38, 90)])
    with pytest.raises(InputError, match=r"few\.mid: has 2 notes; a groove needs 8"):
        read_groove(path, KIT)


def test_beats_follow_the_tempo(tmp_path: Path) -> None:
    song = read_midi(straight(tmp_path / "song.mid", tempo=250_000), RATE)
    np.testing.assert_allclose(song.beats[:5], [0, 0.25, 0.5, 0.75, 1])
    assert set(song.beat_frames) == {RATE / 4}

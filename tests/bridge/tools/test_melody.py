import numpy as np
import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.variation import Variation
from ghostnote.bridge.tools.melody import Note, in_scale, nearest_octaves, note_hz, play_melody, read_scale, tuned
from ghostnote.bridge.tools.pitch import drum_pitch

RATE = 44_100


def tom(hz=140.0, seconds=0.8, t60=0.7, glide=0.0):
    """Return a decaying tone with a second mode and a short noise, which may glide down to its pitch."""
    rng = np.random.default_rng(1)
    t = np.arange(int(seconds * RATE)) / RATE
    turns = 2 * np.pi * np.cumsum(hz * (1 + glide * np.exp(-t / 0.02))) / RATE
    ring = np.sin(turns) * 10 ** (-3 * t / t60) + 0.3 * np.sin(1.59 * turns) * 10 ** (-3 * t / (0.4 * t60))
    return (0.5 * ring + 0.05 * np.exp(-t / 0.01) * rng.standard_normal(len(t)))[None].astype(np.float32)


def cents(hz, wanted):
    return 1200 * np.log2(hz / wanted)


@pytest.mark.parametrize("hz", [61.7, 140.0, 523.25, 2100.0])
@pytest.mark.parametrize("glide", [0.0, 0.4])
def test_the_pitch_is_where_the_strongest_partial_settles(hz, glide):
    assert abs(cents(drum_pitch(tom(hz, glide=glide), RATE).hz, hz)) < 3


def test_any_rate_and_two_channels_have_the_same_pitch():
    hit = np.repeat(tom(220.0), 2, axis=0)
    assert abs(cents(drum_pitch(hit, 48_000).hz, 220.0 * 48_000 / RATE)) < 3


def test_noise_has_no_pitch():
    rng = np.random.default_rng(1)
    hat = np.exp(-np.arange(20_000) / 2000) * rng.standard_normal(20_000)
    with pytest.raises(InputError, match="no pitch"):
        drum_pitch(hat[None], RATE)


def metal(lines):
    """Return what rings at so many frequencies at once, as a hat or a cymbal does, with noise around them."""
    rng = np.random.default_rng(2)
    t = np.arange(RATE // 2) / RATE
    ring = sum(np.sin(2 * np.pi * hz * t + 2 * turn) for turn, hz in enumerate(np.geomspace(380, 6000, lines)))
    return (np.exp(-6 * t) * (0.3 * ring + 0.3 * rng.standard_normal(len(t))))[None].astype(np.float32)


def test_how_clear_a_pitch_is_and_many_lines_have_none():
    assert drum_pitch(tom(), RATE).clarity > 0.8
    assert 0.15 < drum_pitch(metal(3), RATE).clarity < 0.4
    with pytest.raises(InputError, match=r"of its energy is at its strongest line, .* Hz, and a pitch needs 10%"):
        drum_pitch(metal(16), RATE)


@pytest.mark.parametrize("semitones", [-12, -5, 3, 12])
def test_a_tuned_stroke_has_the_pitch_and_the_length_and_the_level_that_it_had(semitones):
    hit = tom(glide=0.3)
    moved = tuned(hit, 2 ** (semitones / 12), 140.0 * 2 ** (semitones / 12))
    assert moved.shape == hit.shape
    assert abs(cents(drum_pitch(moved, RATE).hz, 140.0 * 2 ** (semitones / 12))) < 5
    for first in (2205, 13_230):
        part = slice(first, first + 4410)
        before, after = (10 * np.log10(np.square(each[:, part], dtype=float).mean()) for each in (hit, moved))
        assert after == pytest.approx(before, abs=1.5)


def test_notes_sound_when_they_come_at_their_pitch_and_each_is_another_stroke(tiny_generator):
    hit = tom()
    notes = [Note(0.0, 48), Note(1.0, 55), Note(2.0, 48)]
    made = play_melody(notes, hit, RATE, "tom", generator=tiny_generator, variation=Variation(seed=3))
    assert made.shape == (1, 2 * RATE + hit.shape[1])
    for note in notes:
        stroke = made[:, int(note.seconds * RATE) :][:, : hit.shape[1]]
        assert abs(cents(drum_pitch(stroke, RATE).hz, note_hz(note.pitch))) < 5
    first, again = made[:, : hit.shape[1]], made[:, 2 * RATE :]
    assert not np.allclose(first, again, atol=1e-3)


def test_a_melody_is_at_the_rate_of_its_hit(tiny_generator):
    made = play_melody([Note(0.5, 50)], tom(), 48_000, "tom", generator=tiny_generator)
    assert made.shape[1] == pytest.approx(24_000 + tom().shape[1], abs=2)


def test_a_melody_is_moved_by_the_octaves_that_bring_it_nearest():
    notes = [Note(0.0, pitch) for pitch in (69, 71, 72)]
    assert [nearest_octaves(notes, hz) for hz in (55.0, 123.0, 480.0, 2000.0)] == [-3, -2, 0, 2]


def test_scales_are_read_and_notes_go_to_the_nearest_of_them():
    assert read_scale("C minor") == (0, (0, 2, 3, 5, 7, 8, 10))
    assert read_scale("f# pentatonic")[0] == 6
    assert read_scale("Bb")[1] == (0, 2, 4, 5, 7, 9, 11)
    minor = read_scale("C minor")
    assert [in_scale(note, minor) for note in (60, 61, 64, 66, 69)] == [60, 60, 63, 65, 68]


@pytest.mark.parametrize("text", ["H major", "C klingon", ""])
def test_what_is_no_scale_is_said(text):
    with pytest.raises(InputError, match="is not a scale"):
        read_scale(text)


def test_a_melody_without_notes_and_one_out_of_reach_are_said(tiny_generator):
    with pytest.raises(InputError, match="no notes"):
        play_melody([], tom(), RATE, "tom", generator=tiny_generator)
    with pytest.raises(InputError, match="more than three octaves"):
        play_melody([Note(0.0, 110)], tom(), RATE, "tom", generator=tiny_generator)


def test_silence_before_the_hit_neither_delays_notes_nor_is_filled(tiny_generator):
    hit = np.pad(tom(), ((0, 0), (4410, 0)))
    melody = play_melody([Note(0.5, 50)], hit, RATE, "tom", generator=tiny_generator, variation=Variation(amount=0))
    assert not np.abs(melody[:, : RATE // 2 - 60]).max()
    assert np.abs(melody[:, RATE // 2 : RATE // 2 + 1000]).max() > 0.3 * np.abs(melody).max()

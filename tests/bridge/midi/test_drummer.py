"""Grooves by genre: where the studies that they follow have numbers, these are the numbers."""

from dataclasses import replace

import numpy as np
import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.kit.kit import default_kit
from ghostnote.bridge.midi.drummer import STYLES, Style, drummer_feel, drummer_placing, find_style, swing_ratio
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.midi.humanize import Placing, deviations, humanize_song
from ghostnote.bridge.midi.smf_reader import MidiSong

RATE = 48_000
KIT = default_kit()
KICK, SNARE, HAT, PEDAL, RIDE = 36, 38, 42, 44, 51
CALM = Style(0.0, 0.0)


def song(notes: list[tuple[float, int, int]], bpm: float = 120.0) -> MidiSong:
    """Write notes as (beat, note, velocity)."""
    beat = RATE * 60 / bpm
    events = tuple(NoteOn(round(at * beat), note, velocity) for at, note, velocity in notes)
    places = tuple(at for at, *_ in notes)
    end = round((places[-1] + 4) * beat)
    return MidiSong(events, end, RATE, 480, beats=places, beat_frames=(beat,) * len(notes))


def rock(bars: int = 64, bpm: float = 120.0) -> MidiSong:
    """Sixteenths on the hat, kicks on one and three, the snare on two and four, and a ghost note before each."""
    notes = []
    for step in range(16 * bars):
        at = step / 4
        notes += [(at, HAT, 80)]
        notes += [(at, KICK, 100)] if step % 8 == 0 else [(at, SNARE, 100)] if step % 8 == 4 else []
        notes += [(at, SNARE, 40)] if step % 8 == 3 else []
    return song(notes, bpm)


def milliseconds(placing: Placing) -> np.ndarray:  # type: ignore[type-arg]
    return placing.late * 1000 / RATE


def placed(score: MidiSong, style: Style, amount: float = 1.0, seed: int = 1) -> Placing:
    return drummer_placing(score, KIT, style, amount, seed)


@pytest.mark.parametrize(("bpm", "ratio"), [(100, 3.5), (120, 3.5), (200, 2.0), (300, 1.0), (340, 1.0)])
def test_jazz_swings_as_friberg_and_sundstrom_measured_the_ride(bpm: float, ratio: float) -> None:
    assert swing_ratio(60 / bpm) == pytest.approx(ratio)
    score = song([(at / 2, RIDE, 80) for at in range(8)], bpm)
    late = placed(score, replace(CALM, swings=True)).late / score.beat_frames
    assert late[::2] == pytest.approx(0)
    assert late[1::2] == pytest.approx(ratio / (1 + ratio) - 0.5)


@pytest.mark.parametrize("bpm", [160, 200, 240, 280])
def test_the_second_eighth_takes_a_tenth_of_a_second_from_medium_tempi_on(bpm: float) -> None:
    score = song([(0, RIDE, 80), (0.5, RIDE, 80), (1, RIDE, 80)], bpm)
    frames = [event.frame for event in score.events] + placed(score, replace(CALM, swings=True)).late
    assert (frames[2] - frames[1]) / RATE == pytest.approx(0.1, abs=1e-3)


def test_written_triplets_swing_no_further_than_eighths_do() -> None:
    eighths, triplets = (song([(0, RIDE, 80), (at, RIDE, 80), (1, RIDE, 80)], 150) for at in (0.5, 2 / 3))
    frames = [
        score.events[1].frame + placed(score, replace(CALM, swings=True)).late[1] for score in (eighths, triplets)
    ]
    assert frames[0] == pytest.approx(frames[1], abs=1)


@pytest.mark.parametrize("genre", STYLES)
def test_no_kick_or_snare_is_early_and_the_backbeat_alone_is_late(genre: str) -> None:
    score = rock()
    late = milliseconds(placed(score, replace(STYLES[genre], swings=False)))
    notes = [event.note for event in score.events if isinstance(event, NoteOn)]
    velocities = [event.velocity for event in score.events if isinstance(event, NoteOn)]
    for at, note, velocity in zip(late, notes, velocities, strict=True):
        if note == KICK or (note == SNARE and velocity == 40):
            assert at == 0
        elif note == SNARE:
            assert at == STYLES[genre].late_ms.get("snare", 0)


def test_the_pedal_of_jazz_is_ahead_by_as_much_as_was_measured_and_liked() -> None:
    (late,) = milliseconds(placed(song([(1, PEDAL, 80)]), STYLES["jazz"]))
    assert -19 < late < -2


@pytest.mark.parametrize("genre", STYLES)
def test_the_weak_hand_and_ghost_notes_are_quieter(genre: str) -> None:
    score = rock(1)
    louder = dict(zip(((b, e.note) for b, e in zip(score.beats, score.events, strict=True)),  # type: ignore[union-attr]
                      placed(score, STYLES[genre]).louder, strict=True))  # fmt: skip
    assert louder[0.25, HAT] == louder[0.75, HAT] < louder[0.5, HAT] < louder[0, HAT] == 1
    assert louder[0.75, SNARE] < 1 <= louder[1, SNARE]
    assert louder[0, KICK] == 1


def test_what_a_drummer_repeats_comes_again_every_two_bars_and_is_another_by_another_seed() -> None:
    score = rock(4)
    hats = [at for at, event in enumerate(score.events) if isinstance(event, NoteOn) and event.note == HAT]
    late = milliseconds(placed(score, STYLES["rock"]))[hats]
    assert late[:32].tolist() == late[32:].tolist()
    assert late[:16].tolist() != late[16:32].tolist()
    assert late[:32].tolist() != milliseconds(placed(score, STYLES["rock"], seed=2))[hats][:32].tolist()


def test_jazz_deviates_more_than_rock_and_backbeats_less_than_other_strokes() -> None:
    assert STYLES["jazz"].timing_ms > STYLES["rock"].timing_ms
    score = rock()
    reach = placed(score, STYLES["rock"]).reach
    assert reach is not None
    notes = [(event.note, event.velocity) for event in score.events if isinstance(event, NoteOn)]
    backbeats = [at for at, note in zip(reach, notes, strict=True) if note == (SNARE, 100)]
    assert max(backbeats) < min(at for at, (note, _) in zip(reach, notes, strict=True) if note == KICK)


def test_longer_intervals_vary_more() -> None:
    reaches = []
    for gap in (0.25, 0.5, 1.0):
        reach = placed(song([(at * gap, RIDE, 80) for at in range(8)]), CALM).reach
        assert reach is not None
        reaches.append(reach[-1])
    assert reaches == sorted(set(reaches))
    # The variance grows with the interval.
    assert reaches[1] ** 2 == pytest.approx(2 * reaches[0] ** 2)


def test_the_amount_goes_from_the_score_to_a_drummer_and_the_seed_says_which() -> None:
    score = rock(8)
    assert humanize_song(score, KIT, drummer_feel(STYLES["funk"], 0, 1), placed(score, STYLES["funk"], 0)).placed == (
        score.events
    )
    spread = []
    for amount in (0.3, 1.0):
        feel, placing = drummer_feel(STYLES["funk"], amount, 1), placed(score, STYLES["funk"], amount)
        take = humanize_song(score, KIT, feel, placing)
        assert take == humanize_song(score, KIT, feel, placing)
        spread.append([each.std() for each in deviations(score, take)])
    assert spread[0][0] < spread[1][0]
    assert spread[0][1] < spread[1][1]
    other = humanize_song(score, KIT, drummer_feel(STYLES["funk"], 1, 2), placed(score, STYLES["funk"], 1, 2))
    assert other.placed != take.placed


def test_another_genre_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="choose one of rock, jazz, funk, hiphop"):
        find_style("polka")
    with pytest.raises(InputError, match="did you mean funk"):
        find_style("fnuk")
    assert find_style("Hip-Hop") == find_style("hiphop")
    assert find_style("jazz").swings
    assert not find_style("jazz", swings=False).swings

"""The grid's pattern and how it is played, without a server or a browser."""

import io
from typing import Any

import mido
import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the 'page' extra")

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.page.pattern import RATE, STEPS, Pattern, changed, kit_of, midi_bytes, song_of
from ghostnote.bridge.page.player import AHEAD_SECONDS, Course

PADS: list[dict[str, Any]] = [
    {"slug": "kick", "notes": [36, 35], "class": "kick", "choke": ""},
    {"slug": "hat", "notes": [42], "class": "closed_hat", "choke": "hats"},
]


def row(**steps: int) -> list[int]:
    return [steps.get(f"s{step}", 0) for step in range(STEPS)]


def pattern(humanize: float = 0.0, **numbers: float) -> Pattern:
    rows = {"kick": row(s0=120, s8=100), "hat": row(**{f"s{step}": 80 for step in range(STEPS)})}
    return changed(Pattern(humanize=humanize), {"rows": rows, **numbers})


def test_steps_are_sixteenths_at_the_tempo() -> None:
    song = song_of(pattern(tempo=120), kit_of(PADS), bars=2)
    kicks = [event for event in song.events if isinstance(event, NoteOn) and event.note == 36]
    assert [(event.frame / RATE, event.velocity) for event in kicks] == [(0, 120), (1, 100), (2, 120), (3, 100)]
    assert song.end_frame == 4 * RATE
    assert len(song.events) == 2 * 18


def test_swing_moves_every_second_sixteenth() -> None:
    song = song_of(pattern(tempo=120, swing=66), kit_of(PADS), bars=1)
    hats = np.array([event.frame for event in song.events if isinstance(event, NoteOn) and event.note == 42]) / RATE
    np.testing.assert_allclose(hats[0::2], np.arange(8) * 0.25, atol=1e-4)
    np.testing.assert_allclose(hats[1::2], np.arange(8) * 0.25 + 0.25 * 0.66, atol=1e-4)


def test_humanized_parts_deviate_as_asked_and_follow_each_other_differently() -> None:
    straight = song_of(pattern(), kit_of(PADS))
    parts = [song_of(pattern(humanize=1.0), kit_of(PADS), part=part) for part in range(2)]
    order = [[event.frame for event in song.events if isinstance(event, NoteOn) and event.note == 42] for song in parts]
    plain = [event.frame for event in straight.events if isinstance(event, NoteOn) and event.note == 42]
    late = (np.array(order) - plain) / RATE * 1000
    assert 1.5 < late.std() < 7
    assert np.abs(late[0] - late[1]).max() > 1
    assert song_of(pattern(humanize=1.0), kit_of(PADS)) == parts[0]


def test_the_midi_file_has_the_notes_at_their_times() -> None:
    song = song_of(pattern(tempo=150, humanize=0.7), kit_of(PADS), bars=3)
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(song, 150)))
    now, found = 0.0, []
    for message in file:
        now += message.time
        if message.type == "note_on" and message.velocity:
            found.append((now, message.note, message.velocity, message.channel))
    wanted = [(event.frame / RATE, event.note, event.velocity, 9) for event in song.events]
    assert [each[1:] for each in sorted(found)] == [each[1:] for each in sorted(wanted)]
    np.testing.assert_allclose(sorted(each[0] for each in found), sorted(each[0] for each in wanted), atol=1e-3)
    assert file.length == pytest.approx(3 * 4 * 60 / 150, abs=2e-3)


@pytest.mark.parametrize(
    "change",
    [
        {"tempo": 0}, {"tempo": "fast"}, {"swing": 80}, {"humanize": True}, {"rows": {"kick": [1]}}, {"rows": []},
        {"rows": {"kick": [128] * 16}}, {"rows": {"kick": [0.5] * 16}},
        {"rows": {str(n): [1] * 16 for n in range(200)}},
    ],
)  # fmt: skip
def test_what_no_pattern_can_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        changed(Pattern(), change)


def test_an_empty_row_goes_and_clear_empties_all() -> None:
    assert set(changed(pattern(), {"rows": {"hat": [0] * STEPS}}).rows) == {"kick"}
    assert changed(pattern(tempo=90), {"clear": True}) == Pattern(tempo=90.0, humanize=0.0)


def test_every_step_is_sent_once_ahead_of_its_time_whatever_the_turns() -> None:
    course, played = Course(1000.0, pattern(tempo=120)), pattern(tempo=120)
    sent = []
    for now in np.arange(999.9, 1034.0, 0.0317):
        for slug, velocity, when in course.due(float(now), played, PADS):
            assert now - 1e-6 <= when <= now + AHEAD_SECONDS + 1e-6
            sent.append((slug, velocity, round(when - 1000.0, 4)))
    kicks = [when for slug, _, when in sent if slug == "kick"]
    np.testing.assert_allclose(kicks, np.arange(len(kicks)), atol=1e-3)
    assert len(kicks) == 35
    assert len({*sent}) == len(sent)


def test_a_new_tempo_keeps_the_place_in_the_bar() -> None:
    course = Course(0.0, pattern(tempo=120))
    course.due(1.0, pattern(tempo=120), PADS)
    assert course.step(1.0) == 8
    course.due(1.0, pattern(tempo=60), PADS)
    assert course.step(1.0) == 8
    assert course.step(1.26) == 9

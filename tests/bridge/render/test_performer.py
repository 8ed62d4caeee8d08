from dataclasses import replace
from pathlib import Path

import pytest

from ghostnote.bridge.drums import CLASS_NAMES
from ghostnote.bridge.kit.choke import CHOKE_SECONDS
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.midi.events import DRUM_CHANNEL, Aftertouch, Event, NoteOn, PedalMove, Silence
from ghostnote.bridge.render.performer import Fade, Performer, Stroke

KICK, CLOSED, PEDAL, OPEN, CRASH = range(5)
PADS = (
    Pad("kick", (36, 35), "kick", seed=1),
    Pad("closed", (42,), "closed_hat", seed=2, choke="hats"),
    Pad("pedal", (44,), "pedal_hat", seed=3, choke="hats"),
    Pad("open", (46,), "open_hat", seed=4, choke="hats"),
    Pad("crash", (49,), "crash", seed=5),
)


@pytest.fixture
def performer() -> Performer:
    return Performer(Kit("test", 1, PADS))


def test_strokes_are_counted_pad_by_pad(performer: Performer) -> None:
    actions = [a for frame, note in enumerate((36, 49, 35, 36)) for a in performer.handle(NoteOn(frame, note, 90))]
    wanted = ((0, KICK, 0), (1, CRASH, 0), (2, KICK, 1), (3, KICK, 2))
    assert actions == [Stroke(frame, pad, index, 90, DRUM_CHANNEL) for frame, pad, index in wanted]


def test_a_note_without_a_pad_is_counted(performer: Performer) -> None:
    assert [performer.handle(NoteOn(0, note, 90)) for note in (60, 61, 60)] == [[], [], []]
    assert performer.unmapped == {60: 2, 61: 1}


def test_a_hat_chokes_its_group_and_its_own_earlier_strokes(performer: Performer) -> None:
    fade, stroke = performer.handle(NoteOn(5, 42, 80))
    assert fade == Fade(5, (CLOSED, PEDAL, OPEN), CHOKE_SECONDS)
    assert stroke == Stroke(5, CLOSED, 0, 80, DRUM_CHANNEL)


def test_a_choke_group_leaves_the_striking_pad_alone_unless_it_is_a_hat() -> None:
    pads = (
        Pad("a", (1,), "crash", seed=1, choke="x"),
        Pad("b", (2,), "crash", seed=2, choke="x"),
        Pad("c", (3,), "ride", seed=3),
    )
    assert Performer(Kit("t", 1, pads)).handle(NoteOn(0, 1, 90))[0] == Fade(0, (1,), CHOKE_SECONDS)
    assert Performer(Kit("t", 1, pads)).handle(NoteOn(0, 3, 90)) == [Stroke(0, 2, 0, 90, DRUM_CHANNEL)]


def test_closing_the_pedal_fades_open_hats_once(performer: Performer) -> None:
    assert performer.handle(PedalMove(0, 60)) == []
    assert performer.handle(PedalMove(3, 110)) == [Fade(3, (OPEN,), CHOKE_SECONDS, DRUM_CHANNEL)]
    assert performer.handle(PedalMove(4, 127)) == []
    assert performer.handle(PedalMove(5, 0)) == []
    assert performer.handle(PedalMove(6, 127)) == [Fade(6, (OPEN,), CHOKE_SECONDS, DRUM_CHANNEL)]


def test_an_open_hat_under_a_closed_pedal_is_the_closed_one(performer: Performer) -> None:
    performer.handle(PedalMove(0, 127))
    assert performer.handle(NoteOn(1, 46, 80))[-1] == Stroke(1, CLOSED, 0, 80, DRUM_CHANNEL)
    performer.handle(PedalMove(2, 0))
    assert performer.handle(NoteOn(3, 46, 80))[-1] == Stroke(3, OPEN, 0, 80, DRUM_CHANNEL)


def test_an_open_hat_without_a_closed_one_stays_itself() -> None:
    performer = Performer(Kit("t", 1, (PADS[OPEN],)))
    performer.handle(PedalMove(0, 127))
    assert performer.handle(NoteOn(1, 46, 80))[-1] == Stroke(1, 0, 0, 80, DRUM_CHANNEL)


def test_pressure_chokes_cymbals_alone(performer: Performer) -> None:
    pressed = {note: performer.handle(Aftertouch(9, note, 1)) for note in (36, 42, 44, 46, 49, 99)}
    chokes = {42: CLOSED, 44: PEDAL, 46: OPEN, 49: CRASH}
    assert pressed == {
        note: [Fade(9, (chokes[note],), CHOKE_SECONDS, DRUM_CHANNEL)] if note in chokes else [] for note in pressed
    }
    assert performer.handle(Aftertouch(9, 49, 0)) == []
    drums = tuple(Pad(name, (n,), name, seed=n) for n, name in enumerate(CLASS_NAMES, 1))
    (fade,) = Performer(Kit("all", 1, drums)).handle(Aftertouch(9, None, 1, 3))
    assert isinstance(fade, Fade)
    assert {drums[pad].name for pad in fade.pads} == {"closed_hat", "open_hat", "pedal_hat", "crash", "ride"}
    assert fade.channel == 3


def test_controllers_act_on_the_notes_of_their_own_channel(performer: Performer) -> None:
    assert performer.handle(PedalMove(0, 127, 3)) == [Fade(0, (OPEN,), CHOKE_SECONDS, 3)]
    assert performer.handle(NoteOn(1, 46, 80, 4))[-1] == Stroke(1, OPEN, 0, 80, 4)
    assert performer.handle(NoteOn(2, 46, 80, 3))[-1] == Stroke(2, CLOSED, 0, 80, 3)
    assert performer.handle(PedalMove(3, 127, 4)) == [Fade(3, (OPEN,), CHOKE_SECONDS, 4)]
    assert performer.handle(Silence(4, 3)) == [Fade(4, (0, 1, 2, 3, 4), CHOKE_SECONDS, 3)]


def test_a_silence_of_no_channel_fades_everything(performer: Performer) -> None:
    assert performer.handle(Silence(2)) == [Fade(2, (0, 1, 2, 3, 4), CHOKE_SECONDS)]


def struck(performer: Performer, *events: Event) -> list[tuple[int, int, int]]:
    """Return the pad, the zone and the number of each stroke."""
    actions = [action for event in events for action in performer.handle(event)]
    return [(each.pad, each.zone, each.index) for each in actions if isinstance(each, Stroke)]


def test_a_hat_of_many_opennesses_follows_its_pedal_by_channel_and_its_zones_count_their_strokes() -> None:
    hits = tuple(PadHit(Path(name), openness=(at, at)) for name, at in (("shut", 0.0), ("half", 0.5), ("open", 1.0)))
    performer = Performer(Kit("t", 1, (PADS[KICK], PADS[CLOSED], replace(PADS[OPEN], hits=hits))))
    notes = [NoteOn(0, 46, 90)] * 2
    assert struck(performer, *notes) == [(2, 2, 0), (2, 2, 1)]
    assert struck(performer, PedalMove(0, 60), *notes) == [(2, 1, 0), (2, 1, 1)]
    # Its own closed strokes, not the closed hat's pad.
    assert struck(performer, PedalMove(0, 127), *notes) == [(2, 0, 0), (2, 0, 1)]
    assert struck(performer, NoteOn(0, 46, 90, 3)) == [(2, 2, 2)]


def test_an_open_hat_without_closed_strokes_plays_the_closed_pad_while_the_pedal_is_down() -> None:
    hits = tuple(PadHit(Path(name), openness=(at, at)) for name, at in (("half", 0.5), ("open", 1.0)))
    performer = Performer(Kit("t", 1, (PADS[CLOSED], replace(PADS[OPEN], hits=hits))))
    assert struck(performer, PedalMove(0, 60), NoteOn(0, 46, 90)) == [(1, 0, 0)]
    assert struck(performer, PedalMove(0, 120), NoteOn(0, 46, 90)) == [(0, 0, 0)]


def test_closing_the_pedal_fades_open_strokes_whatever_the_class_of_their_pad() -> None:
    hits = tuple(PadHit(Path(name), openness=(at, at)) for name, at in (("shut", 0.0), ("open", 1.0)))
    performer = Performer(Kit("t", 1, (replace(PADS[CLOSED], hits=hits),)))
    assert performer.handle(PedalMove(7, 127)) == [Fade(7, (0,), CHOKE_SECONDS, DRUM_CHANNEL)]


def test_a_position_chooses_among_a_drum_s_strokes() -> None:
    hits = tuple(PadHit(Path(name), position=(at, at)) for name, at in (("centre", 0.0), ("edge", 1.0)))
    performer = Performer(Kit("t", 1, (Pad("snare", (38,), "snare", hits=hits),)))
    assert struck(performer, *(NoteOn(0, 38, 90, position=at) for at in (None, 0.2, 0.8))) == [
        (0, 0, 0),
        (0, 0, 1),
        (0, 1, 0),
    ]

import pytest

from ghostnote.bridge.kit.choke import CHOKE_SECONDS
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.midi.events import Aftertouch, NoteOn, PedalMove, Silence
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
    actions = [a for note in (36, 49, 35, 36) for a in performer.handle(NoteOn(7, note, 90))]
    assert actions == [Stroke(7, KICK, 0, 90), Stroke(7, CRASH, 0, 90), Stroke(7, KICK, 1, 90), Stroke(7, KICK, 2, 90)]


def test_a_note_without_a_pad_is_counted(performer: Performer) -> None:
    assert [performer.handle(NoteOn(0, note, 90)) for note in (60, 61, 60)] == [[], [], []]
    assert performer.unmapped == {60: 2, 61: 1}


def test_a_hat_chokes_its_group_and_its_own_earlier_strokes(performer: Performer) -> None:
    fade, stroke = performer.handle(NoteOn(5, 42, 80))
    assert fade == Fade(5, (CLOSED, PEDAL, OPEN), CHOKE_SECONDS)
    assert stroke == Stroke(5, CLOSED, 0, 80)


def test_a_choke_group_leaves_the_striking_pad_alone_unless_it_is_a_hat() -> None:
    pads = (
        Pad("a", (1,), "crash", seed=1, choke="x"),
        Pad("b", (2,), "crash", seed=2, choke="x"),
        Pad("c", (3,), "ride", seed=3),
    )
    assert Performer(Kit("t", 1, pads)).handle(NoteOn(0, 1, 90))[0] == Fade(0, (1,), CHOKE_SECONDS)
    assert Performer(Kit("t", 1, pads)).handle(NoteOn(0, 3, 90)) == [Stroke(0, 2, 0, 90)]


def test_closing_the_pedal_fades_open_hats_once(performer: Performer) -> None:
    assert performer.handle(PedalMove(0, 60)) == []
    assert performer.handle(PedalMove(3, 110)) == [Fade(3, (OPEN,), CHOKE_SECONDS)]
    assert performer.handle(PedalMove(4, 127)) == []
    assert performer.handle(PedalMove(5, 0)) == []
    assert performer.handle(PedalMove(6, 127)) == [Fade(6, (OPEN,), CHOKE_SECONDS)]


def test_an_open_hat_under_a_closed_pedal_is_the_closed_one(performer: Performer) -> None:
    performer.handle(PedalMove(0, 127))
    assert performer.handle(NoteOn(1, 46, 80))[-1] == Stroke(1, CLOSED, 0, 80)
    performer.handle(PedalMove(2, 0))
    assert performer.handle(NoteOn(3, 46, 80))[-1] == Stroke(3, OPEN, 0, 80)


def test_an_open_hat_without_a_closed_one_stays_itself() -> None:
    performer = Performer(Kit("t", 1, (PADS[OPEN],)))
    performer.handle(PedalMove(0, 127))
    assert performer.handle(NoteOn(1, 46, 80))[-1] == Stroke(1, 0, 0, 80)


def test_pressure_fades_its_pad(performer: Performer) -> None:
    assert performer.handle(Aftertouch(9, 49, 1)) == [Fade(9, (CRASH,), CHOKE_SECONDS)]
    assert performer.handle(Aftertouch(9, 49, 0)) == []
    assert performer.handle(Aftertouch(9, 99, 127)) == []


def test_silence_fades_everything(performer: Performer) -> None:
    assert performer.handle(Silence(2)) == [Fade(2, (0, 1, 2, 3, 4), CHOKE_SECONDS)]

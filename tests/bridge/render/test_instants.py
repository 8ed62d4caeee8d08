from ghostnote.bridge.midi.events import Event, NoteOn, PedalMove
from ghostnote.bridge.render.instants import INSTANT_SECONDS, Instants

RATE = 1_000
LAST = round(INSTANT_SECONDS * RATE)
PADS = {38: 0, 40: 0, 36: 1}


def strokes(instants: Instants, *events: Event) -> list[Event]:
    return [event for event in instants.strokes(events, PADS.get) if event]


def test_notes_of_one_drum_at_one_instant_are_one_stroke_of_the_loudest_velocity_at_the_first_one_s_place() -> None:
    instants = Instants(RATE)
    pedal = PedalMove(1, 9)
    found = strokes(instants, NoteOn(0, 38, 50), pedal, NoteOn(1, 36, 20), NoteOn(2, 40, 90), NoteOn(LAST, 38, 60))
    assert found == [NoteOn(0, 38, 90), pedal, NoteOn(1, 36, 20)]
    assert instants.doubles == 2


def test_an_instant_lasts_from_its_first_note_on_and_does_not_grow_by_each() -> None:
    notes = [NoteOn(frame, 38, 50) for frame in range(3 * (LAST + 1))]
    assert [event.frame for event in strokes(Instants(RATE), *notes)] == [0, LAST + 1, 2 * LAST + 2]


def test_notes_without_a_pad_are_all_kept() -> None:
    notes = (NoteOn(0, 90, 50), NoteOn(0, 90, 50))
    assert strokes(Instants(RATE), *notes) == [*notes]


def test_a_softer_note_of_an_instant_that_began_in_an_earlier_block_is_no_stroke() -> None:
    instants = Instants(RATE)
    assert strokes(instants, NoteOn(0, 38, 50)) == [NoteOn(0, 38, 50)]
    assert strokes(instants, NoteOn(1, 40, 50), NoteOn(2, 38, 20)) == []


def test_a_louder_note_of_an_instant_that_began_in_an_earlier_block_replaces_what_sounds() -> None:
    instants = Instants(RATE)
    strokes(instants, NoteOn(0, 38, 50))
    found = strokes(instants, NoteOn(2, 38, 60), NoteOn(3, 38, 70), NoteOn(LAST + 1, 38, 40))
    assert found == [NoteOn(2, 38, 70, replaces=True), NoteOn(LAST + 1, 38, 40)]

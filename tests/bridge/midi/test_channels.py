import pytest

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.midi.channels import drums_of
from ghostnote.bridge.midi.events import Aftertouch, NoteOn, PedalMove, Silence
from ghostnote.bridge.midi.note_input import NoteInput
from ghostnote.bridge.midi.smf_reader import MidiSong


def song(*channels: int) -> MidiSong:
    events = [NoteOn(i, 40 + i, 90, channel) for i, channel in enumerate(channels)]
    return MidiSong((*events, PedalMove(50, 127, channels[0]), Silence(60)), 100, 8000, 480)


def test_general_midi_s_drums_are_played_where_there_are_some() -> None:
    chosen, said = drums_of(song(0, 9, 1, 9))
    assert [event.note for event in chosen.events if isinstance(event, NoteOn)] == [41, 43]
    # What the pedal of another channel does is its own; what silences all stays.
    assert not any(isinstance(event, PedalMove) for event in chosen.events)
    assert chosen.events[-1] == Silence(60)
    assert "channel 10 alone is played" in said
    assert "2 notes of others are left out; --channel all plays them" in said


@pytest.mark.parametrize(("channels", "channel"), [((0, 3), None), ((9, 9), None), ((0, 9), "all"), ((0, 9), " All ")])
def test_all_is_played_where_nothing_else_is_the_drums(channels: tuple[int, ...], channel: str | None) -> None:
    assert drums_of(song(*channels), channel) == (song(*channels), "")


def test_a_channel_is_played_alone_where_that_is_asked() -> None:
    chosen, said = drums_of(song(0, 9, 3), "4")
    assert [event.note for event in chosen.events if isinstance(event, NoteOn)] == [42]
    assert said == "channel 4 alone is played, as asked: 2 notes of others are left out"


@pytest.mark.parametrize("channel", ["0", "17", "-1", "ten", "", "1.5"])
def test_what_is_not_a_channel_is_refused(channel: str) -> None:
    with pytest.raises(InputError, match="from 1 to 16, or all"):
        drums_of(song(9), channel)


def test_a_channel_without_notes_says_where_they_are() -> None:
    with pytest.raises(InputError, match="--channel 2: the song has no notes there, but on 1, 10"):
        drums_of(song(0, 9), "2")


def test_live_notes_of_other_channels_mean_nothing_and_others_what_the_map_says() -> None:
    notes = NoteInput(9, {22: 42})
    assert notes.event(b"\x90\x24\x40") is None
    assert notes.event(b"\x99\x16\x40") == NoteOn(0, 42, 64, 9)
    assert notes.event(b"\x99\x24\x40") == NoteOn(0, 36, 64, 9)
    assert notes.event(b"\xa9\x16\x40") == Aftertouch(0, 42, 64, 9)
    assert NoteInput().event(b"\x93\x16\x40") == NoteOn(0, 22, 64, 3)

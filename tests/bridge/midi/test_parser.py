import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostnote.bridge.midi.parser import MidiParser

NOTE = b"\x99\x26\x64"


@pytest.mark.parametrize(
    ("packet", "messages", "garbage"),
    [
        (NOTE, [NOTE], 0),
        (NOTE + b"\x99\x24\x10", [NOTE, b"\x99\x24\x10"], 0),
        (NOTE + b"\x12\x34\x56", [NOTE], 3),
        (b"\x12\x34" + NOTE, [NOTE], 2),
        (b"\x99\x26" + NOTE, [NOTE], 1),
        (b"\x99\x26", [], 1),
        (b"\x99", [], 1),
        (b"\x99\xf8\x26\xfe\x64", [NOTE], 0),
        (b"\xf0\x7e\x01\x02\xf7" + NOTE, [NOTE], 0),
        (b"\xf0\x7e\x01" + NOTE, [NOTE], 1),
        (b"\xf7" + NOTE, [NOTE], 1),
        (b"\xf4" + NOTE, [NOTE], 1),
        (b"\xf2\x01\x02" + NOTE, [NOTE], 0),
        (b"\xf6" + NOTE, [NOTE], 0),
        (b"\xc9\x05\xb9\x04\x7f", [b"\xc9\x05", b"\xb9\x04\x7f"], 0),
        (b"", [], 0),
    ],
)
def test_a_packet_gives_its_whole_messages_and_the_rest_is_counted(
    packet: bytes, messages: list[bytes], garbage: int
) -> None:
    parser = MidiParser()
    assert parser.packet(packet) == messages
    assert parser.garbage == garbage


def test_a_stream_has_running_status_and_may_be_cut_anywhere() -> None:
    data = b"\x99\x26\x64\x24\x50\xf8\x26\x00\xc9\x03"
    whole = [b"\x99\x26\x64", b"\x99\x24\x50", b"\x99\x26\x00", b"\xc9\x03"]
    for cut in range(len(data)):
        parser = MidiParser()
        assert parser.stream(data[:cut]) + parser.stream(data[cut:]) == whole
        assert parser.garbage == 0


def test_system_messages_end_running_status() -> None:
    parser = MidiParser()
    assert parser.stream(b"\x99\x26\x64\xf3\x05\x26\x64") == [NOTE]
    assert parser.garbage == 2


@given(st.binary(max_size=200))
def test_no_bytes_upset_it(data: bytes) -> None:
    parser = MidiParser()
    for messages in (parser.packet(data), parser.stream(data)):
        for message in messages:
            assert 0x80 <= message[0] < 0xF0
            assert max(message[1:]) < 0x80
            assert len(message) in (2, 3)
    assert parser.stream(NOTE)[-1] == NOTE

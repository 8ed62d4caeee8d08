import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import mido.sockets
import pytest
import rtmidi
from live_fakes import KIT, RATE, fill, until

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.live import midi_input, midi_ports
from ghostnote.bridge.live.midi_input import TcpInput, open_input
from ghostnote.bridge.live.midi_ports import MidiError, port_names
from ghostnote.bridge.live.session import Session


@contextmanager
def listening() -> Iterator[tuple[Session, TcpInput]]:
    session = Session(KIT, RATE, limiter=False)
    fill(session.pool)
    midi = open_input("tcp:0", session)
    if not isinstance(midi, TcpInput):
        raise TypeError
    with closing(midi):
        yield session, midi


def struck(session: Session, count: int) -> list[tuple[str, int]]:
    """Return what is struck once so many events wait for the engine, which nobody else lets go on."""
    until(lambda: session.engine.waiting == count)
    session.engine.render(80, time.perf_counter() + 1)
    return [(played.pad, played.velocity) for played in session.engine.played]


def test_notes_come_in_over_tcp_as_mido_sends_them() -> None:
    with listening() as (session, midi), mido.sockets.connect("127.0.0.1", midi.port) as port:
        for note, velocity in ((36, 100), (38, 0), (42, 5), (38, 64)):
            port.send(mido.Message("note_on", channel=3, note=note, velocity=velocity))
        assert struck(session, 3) == [("Kick", 100), ("Hat", 5), ("Snare Drum", 64)]
        assert session.counts["midi"] == 4


def test_running_status_and_garbage_over_tcp() -> None:
    with listening() as (session, midi), socket.create_connection(("127.0.0.1", midi.port)) as line:
        line.sendall(b"\x01\x02\x99\x24\x64\x26\x50")
        line.sendall(b"\xf4\x99\x2a")
        line.sendall(b"\x40")
        assert struck(session, 3) == [("Kick", 100), ("Snare Drum", 80), ("Hat", 64)]
        assert session.counts["midi"] == 3
        until(lambda: session.counts["midi_garbage"] == 3)


def test_of_too_many_clients_the_longest_idle_gives_way() -> None:
    with listening() as (session, midi), ExitStack() as stack:
        lines = []
        for n in range(8):
            lines.append(stack.enter_context(socket.create_connection(("127.0.0.1", midi.port), 30)))
            lines[n].sendall(b"\x99\x24\x64")
            until(lambda: session.counts["midi"] == len(lines))
        lines[0].sendall(b"\x99\x24\x64")
        until(lambda: session.counts["midi"] == 9)
        late = stack.enter_context(socket.create_connection(("127.0.0.1", midi.port), 30))
        assert lines[1].recv(1) == b""
        for line in (late, lines[0], *lines[2:]):
            line.sendall(b"\x99\x24\x64")
        until(lambda: session.counts["midi"] == 17)


def test_an_error_of_the_system_ends_no_midi_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def fileno(self) -> int:
            return server.fileno()

        def accept(self) -> None:
            raise OSError(24, "too many open files")

    with listening() as (session, midi), socket.create_connection(("127.0.0.1", midi.port)) as line:
        line.sendall(b"\x99\x24\x64")
        until(lambda: session.counts["midi"] == 1)
        server = midi._server
        with monkeypatch.context() as patch:
            patch.setattr(midi, "_server", Full())
            with socket.create_connection(("127.0.0.1", midi.port)) as late:
                until(lambda: midi.name in session.troubles)
                assert "too many open files" in session.troubles[midi.name][0]
                line.sendall(b"\x99\x24\x64")
                until(lambda: session.counts["midi"] == 2)
                patch.undo()
                late.sendall(b"\x99\x24\x64")
                until(lambda: session.counts["midi"] == 3)
        assert not session.troubles


@pytest.mark.parametrize("error", [OSError(9, "bad file descriptor"), ValueError("filedescriptor out of range")])
def test_no_error_of_waiting_ends_the_midi_thread(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def failing(*_: object) -> None:
        raise error

    with listening() as (session, midi), socket.create_connection(("127.0.0.1", midi.port)) as line:
        with monkeypatch.context() as patch:
            patch.setattr(select, "select", failing)
            until(lambda: session.troubles)
        assert session.troubles[f"{midi.name} thread"][0] == str(error)
        line.sendall(b"\x99\x24\x64")
        until(lambda: session.counts["midi"] == 1)
        until(lambda: not session.troubles)


class Client:
    """A MIDI client that fails in one of its methods."""

    fails = ""
    open = 0

    def __init__(self, *_: object) -> None:
        Client.open += 1

    def __getattr__(self, name: str) -> Callable[..., list[str]]:
        def method(*_: object) -> list[str]:
            if name == Client.fails:
                raise rtmidi.SystemError("no memory")
            return ["Pad"]

        return method

    def delete(self) -> None:
        Client.open -= 1


@pytest.mark.parametrize("fails", ["get_ports", "set_callback", "open_port", "open_virtual_port"])
@pytest.mark.parametrize("where", ["pad", "virtual", "names"])
def test_no_client_is_left_open_where_a_midi_system_fails(
    monkeypatch: pytest.MonkeyPatch, where: str, fails: str
) -> None:
    monkeypatch.setattr(rtmidi, "MidiIn", Client)
    for module in (midi_input, midi_ports):
        monkeypatch.setattr(module, "system_apis", lambda: [1])
    monkeypatch.setattr(Client, "fails", fails)
    monkeypatch.setattr(Client, "open", 0)
    with suppress(MidiError), ExitStack() as stack:
        if where == "names":
            assert port_names() == ([] if fails == "get_ports" else ["Pad"])
        else:
            midi = open_input(where, Session(KIT, RATE))
            stack.callback(midi.close)
            assert Client.open == (midi.name != "pad")
    assert Client.open == 0


def test_controllers_choke_and_silence() -> None:
    with listening() as (session, midi), socket.create_connection(("127.0.0.1", midi.port)) as line:
        line.sendall(b"\x99\x2e\x64")
        until(lambda: session.engine.waiting == 1)
        session.engine.render(80, time.perf_counter() + 1)
        assert session.engine.setup.mixer.voices == 1
        line.sendall(b"\xb9\x78\x00")
        until(lambda: session.engine.waiting == 1)
        for n in range(10):
            session.engine.render(80, time.perf_counter() + 2 + n)
        assert session.engine.setup.mixer.voices == 0


@pytest.mark.parametrize("where", ["tcp:", "tcp:x", "tcp:70000", "tcp:-1"])
def test_a_port_that_is_none_is_refused(where: str) -> None:
    with pytest.raises(InputError, match="names no port"):
        open_input(where, Session(KIT, RATE))


def test_a_taken_port_is_named() -> None:
    with listening() as (session, midi), pytest.raises(MidiError, match="another"):
        open_input(f"tcp:{midi.port}", session)

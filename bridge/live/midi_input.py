"""MIDI in: a port of our own, any port by a part of its name, or a TCP socket; each found again when it is lost."""

import contextlib
import select
import socket
import sys
import threading
import time
from collections import OrderedDict
from contextlib import ExitStack
from functools import partial
from typing import Any, Final, Protocol

import rtmidi

from ghostnote.bridge.errors import InputError
from ghostnote.bridge.live.midi_ports import CLIENT, PORT, MidiError, port_names, system_apis
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.live.supervised import supervised
from ghostnote.bridge.midi.parser import MidiParser

POLL_SECONDS: Final = 1.0

_MOST_CLIENTS: Final = 8


class MidiInput(Protocol):
    """Something that notes come in by."""

    name: str
    """What it is called in reports."""

    def check(self) -> None:
        """See whether it is there still, or there again; call it about once a second."""

    def close(self) -> None:
        """Let it go."""


def open_input(where: str, session: Session) -> MidiInput:
    """Open `virtual`, `tcp:PORT`, or the port with `where` in its name, which may come later.

    `MidiError` where the system has no such thing, `InputError` for what is not a TCP port.
    """
    if where.startswith("tcp:"):
        return TcpInput(where.removeprefix("tcp:"), session)
    return VirtualInput(session) if where == "virtual" else PortInput(where, session)


class _Receiver:
    """Hands what a port receives to the session, stamped at once."""

    def __init__(self, session: Session) -> None:
        self._session, self._parser = session, MidiParser()

    def __call__(self, event: tuple[list[int], float], _: Any = None) -> None:
        stamp = time.perf_counter()
        before = self._parser.garbage
        for message in self._parser.packet(bytes(event[0])):
            self._session.handle_midi(message, stamp)
        self._session.counts["midi_garbage"] += self._parser.garbage - before


class VirtualInput:
    """A port that other programs connect to."""

    def __init__(self, session: Session) -> None:
        """Open the port; `MidiError` where the system has no virtual ports."""
        if sys.platform == "win32":
            raise MidiError("Windows has no virtual MIDI ports: install loopMIDI and name its port")
        apis = system_apis()
        if not apis:
            raise MidiError("no MIDI system answers here: start JACK, or use --midi-in tcp:PORT")
        try:
            with ExitStack() as stack:
                self._port = rtmidi.MidiIn(apis[0], CLIENT)
                stack.callback(self._port.delete)
                self._port.set_callback(_Receiver(session))
                self._port.open_virtual_port(PORT)
                stack.pop_all()
        except rtmidi.RtMidiError as error:
            raise MidiError(f"no MIDI port of our own can be opened ({error}): use --midi-in tcp:PORT") from error
        self.name = f"{CLIENT}:{PORT}"

    def check(self) -> None:
        """Nothing: the port is ours, it cannot be lost."""

    def close(self) -> None:
        """Free the port."""
        self._port.cancel_callback()
        self._port.close_port()
        self._port.delete()


class PortInput:
    """A port of another program or a keyboard, opened whenever it is there."""

    def __init__(self, wanted: str, session: Session) -> None:
        """Look for the port; `MidiError` where the system has no MIDI at all."""
        self.name = wanted
        self._wanted, self._session = wanted.casefold(), session
        self._port: Any = None
        self._api = 0
        self._open_name = ""
        if not system_apis():
            raise MidiError("no MIDI system answers here: start JACK, or use --midi-in tcp:PORT")
        self.check()
        if not self._open_name:
            there = ", ".join(port_names()) or "none"
            session.say(f"no MIDI port has '{wanted}' in its name yet (there are: {there}): waiting for it")

    def check(self) -> None:
        """Open the port when it has come, forget it when it has gone."""
        with contextlib.suppress(rtmidi.RtMidiError, OSError):
            if self._port is not None and self._open_name not in self._port.get_ports():
                self._session.say(f"MIDI port '{self._open_name}' is gone: waiting for it")
                self.close()
                self._session.panic()
            if self._port is None:
                self._look()

    def _look(self) -> None:
        for api in system_apis():
            with ExitStack() as stack:
                port = rtmidi.MidiIn(api, CLIENT)
                stack.callback(port.delete)
                names = port.get_ports()
                number = next((i for i, name in enumerate(names) if self._wanted in name.casefold()), None)
                if number is None:
                    continue
                port.set_callback(_Receiver(self._session))
                port.open_port(number, PORT)
                stack.pop_all()
            self._port, self._open_name, self.name = port, names[number], names[number]
            self._session.say(f"MIDI port '{self.name}' is open")
            return

    def close(self) -> None:
        """Free the port."""
        if self._port is not None:
            with contextlib.suppress(rtmidi.RtMidiError):
                self._port.cancel_callback()
                self._port.close_port()
            self._port.delete()
            self._port, self._open_name = None, ""


class TcpInput:
    """MIDI bytes over TCP from this computer, as `mido.sockets` sends them."""

    def __init__(self, port: str, session: Session) -> None:
        """Open the port; `InputError` for a port that is not a number, `MidiError` for one that is taken."""
        if not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
            raise InputError(f"'tcp:{port}' names no port: it must be a number from 1 to 65535")
        try:
            self._server = socket.create_server(("127.0.0.1", int(port)))
        except OSError as error:
            raise MidiError(f"TCP port {port} cannot be used ({error.strerror}): choose another") from error
        self.port: int = self._server.getsockname()[1]
        self.name = f"tcp:{self.port}"
        self._session = session
        self._clients: OrderedDict[socket.socket, MidiParser] = OrderedDict()
        # The longest idle first: of too many, that one gives way.
        self._accepting = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="midi-tcp", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Nothing: clients come and go by themselves."""

    def close(self) -> None:
        """Hang up and free the port."""
        self._stopping.set()
        self._thread.join(0.5)
        for client in (self._server, *self._clients):
            client.close()

    def _serve(self) -> None:
        supervised(self._turn, self._stopping, partial(self._session.trouble, f"{self.name} thread"))

    def _turn(self) -> None:
        servers = [self._server] if time.perf_counter() >= self._accepting else []
        ready, _, _ = select.select([*servers, *self._clients], [], [], 0.1)
        stamp = time.perf_counter()
        for client in ready:
            if client in self._clients:
                self._read(client, stamp)
            else:
                self._accept()

    def _accept(self) -> None:
        try:
            client, _ = self._server.accept()
        except OSError as error:  # as too few file handles: those that are there play on meanwhile
            self._session.trouble(self.name, str(error))
            self._accepting = time.perf_counter() + POLL_SECONDS
            return
        if len(self._clients) >= _MOST_CLIENTS:
            self._clients.popitem(last=False)[0].close()
        self._clients[client] = MidiParser()
        self._session.trouble(self.name, "")

    def _read(self, client: socket.socket, stamp: float) -> None:
        try:
            data = client.recv(4096)
        except OSError:
            data = b""
        if not data:
            del self._clients[client]
            client.close()
            return
        self._clients.move_to_end(client)
        parser = self._clients[client]
        before = parser.garbage
        for message in parser.stream(data):
            self._session.handle_midi(message, stamp)
        self._session.counts["midi_garbage"] += parser.garbage - before

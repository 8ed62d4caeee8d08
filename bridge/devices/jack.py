"""A JACK client with a pair of outputs, or several, and a MIDI input: exact to the frame."""

import contextlib
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from ghostnote.bridge.devices.base import STOP_SECONDS, AudioError, DriverSettings, MidiPackets, Render
from ghostnote.bridge.devices.clock import BlockClock
from ghostnote.bridge.devices.xrun_monitor import XrunMonitor
from ghostnote.bridge.errors import MissingExtraError

CLIENT: Final = "ghostnote"
OUTPUTS: Final = ("out_1", "out_2")
MIDI_INPUT: Final = "midi_in"


def port_names(outputs: Iterable[str]) -> list[str]:
    """Return the names of two ports for each pair: without what JACK's names cannot have, and each once."""
    taken = {*OUTPUTS, MIDI_INPUT}
    names = []
    for output in outputs:
        name = plain = output.replace(":", "_")
        number = 2
        while f"{name}_1" in taken:
            name, number = f"{plain} {number}", number + 1
        taken |= {f"{name}_1", f"{name}_2"}
        names += [f"{name}_1", f"{name}_2"]
    return names


def load() -> Any:
    """Return the jack module; `MissingExtraError`, or `AudioError` when JACK's library is missing."""
    try:
        import jack
    except ImportError as error:
        raise MissingExtraError("the jack driver", "lowlatency") from error
    except OSError as error:
        raise AudioError(f"the jack driver finds no JACK library ({error}): on Debian  apt install jackd2") from error
    jack.set_error_function(lambda _: None)
    jack.set_info_function(lambda _: None)
    return jack


def describe_server() -> list[str]:
    """Return the server's rate and block, and the ports that take sound; errors as `JackDriver` raises them."""
    driver = JackDriver(DriverSettings())
    try:
        ports = driver.inputs()
    finally:
        driver.stop()
    return [f"a server at {driver.rate} Hz in blocks of {driver.block_frames}", *ports]


class JackDriver:
    """Plays from JACK's process callback; the server decides the rate and the block."""

    recovery_driver = trouble = ""
    stop_seconds = STOP_SECONDS

    def __init__(self, settings: DriverSettings) -> None:
        """Become a client of the server; `AudioError` when none runs."""
        self._jack = load()
        try:
            self._client = self._jack.Client(CLIENT, no_start_server=True)
        except self._jack.JackError as error:
            raise AudioError(f"no JACK server answers: start one, as with  jackd -d alsa  ({error})") from error
        self.rate, self.block_frames = int(self._client.samplerate), int(self._client.blocksize)
        self.latency_seconds = 0.0
        self.xruns = XrunMonitor()
        self.gaps = 0
        self.last_block = time.perf_counter()
        self.lost = ""
        self.notices: deque[str] = deque()
        self.midi_port = f"{self._client.name}:{MIDI_INPUT}" if settings.midi else ""
        self.device = f"JACK client {self._client.name}"
        self._wanted = settings.device
        self._clock = BlockClock(self.rate)
        try:
            self._outputs = [self._client.outports.register(name) for name in (*OUTPUTS, *port_names(settings.outputs))]
            self._input = self._client.midi_inports.register(MIDI_INPUT) if settings.midi else None
        except self._jack.JackError as error:
            self.stop()
            raise AudioError(f"the JACK server gives no ports: {error}") from error

    def start(self, render: Render) -> None:
        """Play, connected to the ports that have the device's name in theirs, or the hardware's."""

        def process(frames: int) -> None:
            now = time.perf_counter() - self._client.frames_since_cycle_start / self.rate
            self.last_block = now
            self.xruns.enter(now)
            block = render(frames, self._clock.block(now, frames), self._received())
            for output, channel in zip(self._outputs, block, strict=True):
                output.get_array()[:] = channel
            self.xruns.leave(now, frames / self.rate)

        self._client.set_process_callback(process)
        self._client.set_xrun_callback(self._late)
        self._client.set_shutdown_callback(self._gone)
        try:
            self._client.activate()
        except self._jack.JackError as error:
            raise AudioError(f"the JACK server refuses the client: {error}") from error
        self._connect()

    def inputs(self) -> list[str]:
        """Return the names of the ports that take sound."""
        return [port.name for port in self._client.get_ports(is_audio=True, is_input=True)]

    def stop(self) -> None:
        """Leave the server."""
        # A server that is gone cannot be left.
        with contextlib.suppress(Exception):
            self._client.deactivate()
        with contextlib.suppress(Exception):
            self._client.close()

    def _received(self) -> MidiPackets:
        """Return what came in over the MIDI port, each packet with its offset in the block."""
        if self._input is None:
            return ()
        return tuple((offset, bytes(data)) for offset, data in self._input.incoming_midi_events())

    def _connect(self) -> None:
        where = {"is_physical": True} if self._wanted is None else {"name_pattern": self._wanted}
        ports = self._client.get_ports(is_audio=True, is_input=True, **where)
        if not ports and self._wanted is not None:
            self.stop()
            raise AudioError(f"no JACK port takes sound under the name '{self._wanted}': see  jack_lsp")
        # The mix alone is to be audible by itself.
        for output, port in zip(self._outputs[: len(OUTPUTS)], ports, strict=False):
            with contextlib.suppress(self._jack.JackErrorCode):
                output.connect(port)
        if ports:
            self.latency_seconds = self._outputs_latency()

    def _outputs_latency(self) -> float:
        # The dummy server's playback latency is one block, as the hardware's is one or two.
        return self.block_frames / self.rate

    def _late(self, _: float) -> None:
        self.gaps += 1

    def _gone(self, status: Any, reason: str) -> None:
        self.lost = reason or "the JACK server ended"

"""PortAudio, through the sounddevice package: low latency on every system."""

import atexit
import time
from collections import deque
from typing import Any, Final

from ghostnote.bridge.devices.base import STOP_SECONDS, AudioError, DriverSettings, Render, prefer_thread
from ghostnote.bridge.devices.clock import BlockClock
from ghostnote.bridge.devices.xrun_monitor import XrunMonitor
from ghostnote.bridge.errors import MissingExtraError

_JACK: Final = "JACK"
_HELP: Final = "install PortAudio, on Debian with  apt install libportaudio2"


def load() -> Any:
    """Return the sounddevice module; `MissingExtraError`, or `AudioError` when PortAudio is missing."""
    try:
        import sounddevice
    except ImportError as error:
        raise MissingExtraError("the sounddevice driver", "lowlatency") from error
    except OSError as error:
        raise AudioError(f"the sounddevice driver finds no PortAudio library ({error}): {_HELP}") from error
    return sounddevice


def output_descriptions() -> list[str]:
    """Return each device that can play, with its system and its rate."""
    sounddevice = load()
    apis = sounddevice.query_hostapis()
    return [
        f"{device['name']} ({apis[device['hostapi']]['name']}, {device['default_samplerate']:.0f} Hz)"
        for device in sounddevice.query_devices()
        if device["max_output_channels"] > 0
    ]


class SounddeviceDriver:
    """Plays from PortAudio's callback.

    PortAudio cannot part with a JACK server that ended, whatever it plays on: its `Pa_Terminate`, without which it
    finds no new devices, then fails an assertion and takes the process along. So where it holds on to one, devices
    that were there at the start alone are taken again, and the jack driver goes back to the server itself.
    """

    midi_port = trouble = ""
    stop_seconds = STOP_SECONDS

    def __init__(self, settings: DriverSettings) -> None:
        """Choose the device by a part of its name."""
        self._sounddevice = load()
        self.rate, self.block_frames = settings.rate, settings.block_frames
        self.latency_seconds = 0.0
        self.xruns = XrunMonitor()
        self.gaps = 0
        self.last_block = time.perf_counter()
        self.lost = ""
        self.notices: deque[str] = deque()
        self.device = settings.device or "default"
        self._wanted, self._channels = settings.device, settings.channels
        self._clock = BlockClock(self.rate)
        self._stream: Any = None
        self._preferred = False
        self._stopping = False
        self.recovery_driver = ""
        self._holds_jack = False

    def start(self, render: Render) -> None:
        """Open the stream and play; `AudioError` when PortAudio refuses."""

        def callback(out: Any, frames: int, _: Any, status: Any) -> None:
            if not self._preferred:
                self._preferred = prefer_thread() or True
            now = self.last_block = time.perf_counter()
            self.xruns.enter(now)
            self.gaps += bool(status.output_underflow)
            out[:] = render(frames, self._clock.block(now, frames)).T
            self.xruns.leave(now, frames / self.rate)

        try:
            there = int(self._sounddevice.query_devices(self._wanted, "output")["max_output_channels"])
            if there < self._channels > 2:
                raise AudioError(
                    f"'{self.device}' has {there} channels, but --outputs needs {self._channels}: choose another "
                    "device, fewer outputs with --outputs groups, or --driver jack or file"
                )
            self._stream = self._sounddevice.OutputStream(
                samplerate=self.rate,
                blocksize=self.block_frames,
                device=self._wanted,
                channels=self._channels,
                dtype="float32",
                latency="low",
                callback=callback,
                finished_callback=self._finished,
            )
            self._stream.start()
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise AudioError(
                f"'{self.device}' cannot be played at {self.rate} Hz: {error}; see 'ghostnote devices'"
            ) from error
        self.latency_seconds = float(self._stream.latency)
        device = self._sounddevice.query_devices(self._stream.device)
        self.device = str(device["name"])
        apis = self._sounddevice.query_hostapis()
        self._holds_jack = any(_JACK in api["name"] for api in apis)
        if self._holds_jack and _JACK in f"{self.device} {apis[device['hostapi']]['name']}".upper():
            self.recovery_driver = "jack"

    def stop(self) -> None:
        """Close the stream."""
        self._stopping = True
        if self._stream:
            self._stream.close(ignore_errors=True)
        if self.lost and self._holds_jack:
            # The server may have ended: see above. Nor does PortAudio's own farewell at the exit get by.
            atexit.unregister(self._sounddevice._exit_handler)
        elif self.lost:
            # PortAudio looks for devices only when it starts.
            self._sounddevice._terminate()
            self._sounddevice._initialize()

    def _finished(self) -> None:
        if not self._stopping:
            self.lost = "the stream ended"

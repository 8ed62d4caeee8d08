"""Pedalboard's `AudioStream` as the device: needs nothing else, but buffers more than a callback does."""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from ghostnote.bridge.devices.base import Audio, AudioError, DriverSettings
from ghostnote.bridge.devices.blocking_driver import BlockingDriver

_PLUGINS: Final = ("/usr/lib/*/alsa-lib", "/usr/lib64/alsa-lib", "/usr/lib/alsa-lib")
"""Where Linux systems keep ALSA's plugins; the library inside pedalboard looks elsewhere."""
_EARLY_SECONDS: Final = 0.0005
"""How long before it is due a block is written: `write` spins while it waits for its place."""
_BLOCKS_BEHIND: Final = 6.5
"""How many blocks the stream was measured to hold."""


def find_plugins() -> None:
    """Tell ALSA where its plugins are, unless the user did; call it before the first look at the devices."""
    if not sys.platform.startswith("linux") or "ALSA_PLUGIN_DIR" in os.environ:
        return
    found = (folder for pattern in _PLUGINS for folder in sorted(Path("/").glob(pattern[1:])))
    folder = next(found, None)
    if folder is not None:
        os.environ["ALSA_PLUGIN_DIR"] = str(folder)


def output_names() -> list[str]:
    """Return the names of the devices that can play."""
    find_plugins()
    from pedalboard.io import AudioStream

    return [str(name) for name in AudioStream.output_device_names]


class PedalboardDriver(BlockingDriver):
    """Writes to an `AudioStream`, asleep until just before each block is due."""

    # write() spins: before all other threads it would hold up the whole machine.
    is_realtime = False

    def __init__(self, settings: DriverSettings) -> None:
        """Find the device by a part of its name; `AudioError` lists what there is."""
        super().__init__(settings)
        if settings.outputs:
            raise AudioError(
                "the pedalboard driver plays one stereo pair: for --outputs choose --driver jack, sounddevice or file"
            )
        names = output_names()
        wanted = settings.device
        if wanted is None:
            from pedalboard.io import AudioStream

            found = AudioStream.default_output_device_name
        else:
            found = next((name for name in names if wanted.casefold() in name.casefold()), None)
        if found is None:
            there = ", ".join(names) or "none at all: is a sound server running, and are its ALSA plugins installed?"
            raise AudioError(f"no sound device has {wanted or 'the default'!r} in its name; there are: {there}")
        self.device = found
        self._stream: Any = None
        self._written = 0.0

    def open(self) -> None:
        """Open the stream; `AudioError` when the device cannot play at the rate."""
        from pedalboard.io import AudioStream

        try:
            stream = AudioStream(
                None, self.device, sample_rate=self.rate, buffer_size=self.block_frames, num_output_channels=2
            )
            stream.__enter__()
        except Exception as error:
            raise AudioError(
                f"'{self.device}' cannot be played at {self.rate} Hz in blocks of {self.block_frames}:"
                f" {error}; 'ghostnote devices' lists the others"
            ) from error
        self._stream = stream
        self._written = time.perf_counter()
        self.latency_seconds = _BLOCKS_BEHIND * self.block_frames / self.rate

    def put(self, block: Audio) -> None:
        """Write the block; the device's own clock decides when that returns."""
        # Any other shape would end the interpreter.
        if block.shape != (2, self.block_frames):
            raise AudioError(f"a block of shape {block.shape} is not (2, {self.block_frames})")
        self._stream.write(np.ascontiguousarray(block), float(self.rate))
        self._written = time.perf_counter()

    def due(self, before: float) -> float:
        """Return a moment just before the device will have room for a block again."""
        return self._written + self.block_frames / self.rate - _EARLY_SECONDS

    def close(self) -> None:
        """Close the stream."""
        with contextlib.suppress(Exception):
            # A device that is gone may refuse even this.
            self._stream.__exit__(None, None, None)

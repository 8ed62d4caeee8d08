"""The audio drivers by name, and the supervisor of the one that plays."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Final

import numpy as np

from ghostnote.bridge.devices.base import Audio, AudioError, Driver, DriverSettings, MidiPackets, Render
from ghostnote.bridge.errors import GhostnoteError, InputError

SILENT_SECONDS: Final = 1.0
"""A device that asks for no block for so long is gone."""
RETRY_SECONDS: Final = 2.0


@dataclass(frozen=True)
class DriverKind:
    """One driver that can be chosen."""

    name: str
    where: str
    """Its module and class."""
    about: str
    """When to choose it."""


DRIVERS: Final = {
    kind.name: kind
    for kind in (
        DriverKind("pedalboard", "pedalboard:PedalboardDriver", "comes along; for sequenced playback"),
        DriverKind("sounddevice", "sounddevice:SounddeviceDriver", "low latency, for players"),
        DriverKind("jack", "jack:JackDriver", "low latency, exact to the frame, with a MIDI port of its own"),
        DriverKind("file", "file:FileDriver", "writes what is played to a sound file"),
        DriverKind("null", "null:NullDriver", "plays to nobody, for tests"),
    )
}
"""All drivers, the default first."""


def make_driver(name: str, settings: DriverSettings) -> Driver:
    """Return the driver of this name, not yet playing; `InputError`, `AudioError`, `MissingExtraError`."""
    kind = DRIVERS.get(name)
    if kind is None:
        raise InputError(f"there is no driver '{name}': choose {', '.join(DRIVERS)}")
    module, _, cls = kind.where.partition(":")
    driver: Driver = getattr(import_module(f"ghostnote.bridge.devices.{module}"), cls)(settings)
    return driver


class _Gate:
    """Lets one driver ask for blocks until another has taken its place."""

    def __init__(self, render: Render, channels: int) -> None:
        self.render, self.is_open = render, True
        self._channels = channels

    def __call__(self, frames: int, began: float, midi: MidiPackets = ()) -> Audio:
        """Return the next block, or silence for a driver that came back too late."""
        return self.render(frames, began, midi) if self.is_open else np.zeros((self._channels, frames), np.float32)


class DriverSupervisor:
    """Keeps a driver playing: when its device goes, the engine runs on silently until it is back."""

    def __init__(self, name: str, settings: DriverSettings) -> None:
        """Make the driver; errors as `make_driver` raises them."""
        self._name, self._settings = name, settings
        self.driver = make_driver(name, settings)
        self.losses = 0
        """How often the device went away."""
        self.is_lost = False
        self.hangs = False
        """Whether a device that went never let go of the thread that closed it."""
        self._render: Render | None = None
        self._say: Callable[[str], object] = logging.getLogger(__name__).warning
        self._gate: _Gate | None = None
        self._retry_at = 0.0
        self._underruns = 0
        self._checked = self._awake = 0.0

    @property
    def underruns(self) -> int:
        """How many blocks came too late, over all devices so far."""
        return self._underruns + (0 if self.is_lost else self.driver.xruns.missed)

    def start(self, render: Render, say: Callable[[str], None]) -> None:
        """Begin to play; losses are reported to `say`. Errors as the driver's `start` raises them."""
        self._render, self._say = render, say
        self._play(self.driver)

    def stop(self) -> None:
        """End."""
        self._end(self.driver)
        self._pass_on()

    def _pass_on(self) -> None:
        while self.driver.notices:
            self._say(self.driver.notices.popleft())

    def _end(self, driver: Driver) -> None:
        """Stop a driver; one whose device is gone may hang in that forever, and is left behind."""
        thread = threading.Thread(target=driver.stop, name="stop", daemon=True)
        thread.start()
        thread.join(driver.stop_seconds)
        self.hangs |= thread.is_alive()

    def check(self) -> None:
        """See whether the device is there still, or there again; call it a few times a second."""
        self._pass_on()
        now = time.perf_counter()
        if now - self._checked > SILENT_SECONDS / 2:
            # This thread stood still too, as when a computer slept: the device gets its time anew.
            self._awake = now
        self._checked = now
        if self.is_lost:
            if now >= self._retry_at:
                self._retry()
        elif self.driver.lost or now - max(self.driver.last_block, self._awake) > SILENT_SECONDS:
            self._lose(self.driver.lost or "it asks for no more sound")

    def _play(self, driver: Driver) -> None:
        if self._render is None:
            raise AudioError("the driver has nothing to play")
        if self._gate:
            self._gate.is_open = False
        self._gate = _Gate(self._render, self._settings.channels)
        self.driver = driver
        driver.last_block = time.perf_counter()
        driver.start(self._gate)

    def _lose(self, why: str) -> None:
        self.losses += 1
        self._underruns += self.driver.xruns.missed
        self._say(f"'{self.driver.device}' is gone ({why}): playing on in silence until it is back")
        self.is_lost = True
        gone = self.driver
        gone.lost = gone.lost or why
        if self._gate:
            self._gate.is_open = False
        self._end(gone)
        self._retry_at = time.perf_counter() + RETRY_SECONDS
        self._name = gone.recovery_driver or self._name
        self._play(make_driver("null", replace(self._settings, rate=gone.rate, block_frames=gone.block_frames)))

    def _retry(self) -> None:
        self._retry_at = time.perf_counter() + RETRY_SECONDS
        stand_in = self.driver
        try:
            driver = make_driver(self._name, self._settings)
        except GhostnoteError:
            # Still gone: that was said already.
            return
        if driver.rate != stand_in.rate:
            self._end(driver)
            self._say(f"'{driver.device}' is back at {driver.rate} Hz instead of {stand_in.rate}: start anew")
            self._retry_at += 15 * RETRY_SECONDS
            return
        self._end(stand_in)
        try:
            self._play(driver)
        except Exception:  # whatever it is, the engine runs on in silence
            self._end(driver)
            self._play(make_driver("null", replace(self._settings, rate=driver.rate)))
            return
        self.is_lost = False
        self._say(f"'{driver.device}' is back")

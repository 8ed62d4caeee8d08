import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from live_fakes import until

from ghostnote.bridge.devices import jack, sounddevice, supervisor
from ghostnote.bridge.devices.base import Audio, AudioError, DriverSettings, MidiPackets
from ghostnote.bridge.devices.blocking_driver import BlockingDriver
from ghostnote.bridge.devices.clock import BlockClock
from ghostnote.bridge.devices.supervisor import DRIVERS, DriverKind, DriverSupervisor, make_driver
from ghostnote.bridge.errors import InputError, MissingExtraError
from ghostnote.bridge.io.audio_file import read_audio

RATE = 8_000


class Counting:
    """Renders blocks that hold their own number."""

    def __init__(self) -> None:
        self.blocks = 0
        self.times: list[float] = []
        """When each block was due."""
        self.asked: list[float] = []
        """When it was asked for."""

    def __call__(self, frames: int, began: float, midi: MidiPackets = ()) -> Audio:
        self.times.append(began)
        self.asked.append(time.perf_counter())
        self.blocks += 1
        return np.full((2, frames), min(self.blocks, 100) / 200, np.float32)


def test_the_null_driver_keeps_the_time() -> None:
    driver, render, began = make_driver("null", DriverSettings(RATE, 80)), Counting(), time.perf_counter()
    driver.start(render)
    until(lambda: render.blocks >= 35)
    driver.stop()
    seconds = time.perf_counter() - began
    times, asked = (np.array(which[:35]) for which in (render.times, render.asked))
    assert (asked >= times).all()
    assert seconds >= 34 * 80 / RATE
    steps = np.diff(times)
    # Where the machine stood still for a quarter of a second, the driver begins anew.
    assert np.abs(steps[steps < 0.25] - 80 / RATE).max() < 1e-5
    assert np.median(steps) == pytest.approx(80 / RATE, rel=1e-3)


def test_the_file_driver_writes_what_it_is_given(tmp_path: Path) -> None:
    path, render = tmp_path / "out.wav", Counting()
    driver = make_driver("file", DriverSettings(RATE, 80, file=path))
    driver.start(render)
    until(lambda: render.blocks >= 5)
    assert not path.exists()
    driver.stop()
    assert driver.stop_seconds > 10
    assert not driver.notices
    audio, rate = read_audio(path)
    assert rate == RATE
    assert audio.shape[1] == render.blocks * 80
    np.testing.assert_allclose(audio[:, ::80][0, :5], np.arange(1, 6) / 200, atol=1e-6)


class Pairs(Counting):
    """Renders six channels that hold their own number."""

    def __call__(self, frames: int, began: float, midi: MidiPackets = ()) -> Audio:
        super().__call__(frames, began, midi)
        return np.repeat(np.arange(6, dtype=np.float32)[:, None] / 10, frames, axis=1)


def test_the_file_driver_writes_a_file_for_each_pair(tmp_path: Path) -> None:
    settings = DriverSettings(RATE, 80, file=tmp_path / "out.wav", outputs=("Snare / rim", "Hats"))
    assert settings.channels == 6
    driver, render = make_driver("file", settings), Pairs()
    driver.start(render)
    until(lambda: render.blocks >= 5)
    driver.stop()
    names = ("out.wav", "out-01-Snare_rim.wav", "out-02-Hats.wav")
    for number, name in enumerate(names):
        audio, _ = read_audio(tmp_path / name)
        np.testing.assert_allclose(audio.mean(axis=1), [0.2 * number, 0.2 * number + 0.1], atol=1e-4)
        assert audio.shape[1] == render.blocks * 80


def test_a_gate_that_is_closed_gives_silence_in_all_channels() -> None:
    gate = supervisor._Gate(Pairs(), 6)
    assert gate(10, 0.0).shape == (6, 10)
    gate.is_open = False
    assert gate(10, 0.0).tobytes() == np.zeros((6, 10), np.float32).tobytes()


def test_jack_ports_have_the_outputs_names_and_each_another() -> None:
    names = jack.port_names(["Tom: low", "Tom_ low", "out"])
    assert names == ["Tom_ low_1", "Tom_ low_2", "Tom_ low 2_1", "Tom_ low 2_2", "out 2_1", "out 2_2"]


def test_outputs_that_a_driver_or_device_has_not_are_refused_with_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AudioError, match="one stereo pair: for --outputs choose --driver jack, sounddevice or file"):
        make_driver("pedalboard", DriverSettings(outputs=("Kick",)))

    class PortAudioError(Exception):
        pass

    library = SimpleNamespace(PortAudioError=PortAudioError, query_devices=lambda *_: {"max_output_channels": 2})
    monkeypatch.setattr(sounddevice, "load", lambda: library)
    with pytest.raises(AudioError, match="has 2 channels, but --outputs needs 4: choose another device"):
        make_driver("sounddevice", DriverSettings(outputs=("Kick",))).start(Pairs())


def test_a_file_that_cannot_be_written_is_reported_at_the_start(tmp_path: Path) -> None:
    driver = make_driver("file", DriverSettings(RATE, 80, file=tmp_path / "a" / "b" / "c.wav"))
    (tmp_path / "a").write_text("a file")
    with pytest.raises(Exception, match="folder"):
        driver.start(Counting())
    with pytest.raises(AudioError, match="--output"):
        make_driver("file", DriverSettings(RATE, 80))


def test_an_unknown_driver_is_refused_with_the_choice() -> None:
    with pytest.raises(InputError, match="pedalboard, sounddevice, jack, file, null"):
        make_driver("alsa", DriverSettings())


@pytest.mark.parametrize(("name", "module"), [("sounddevice", "sounddevice"), ("jack", "jack")])
def test_a_missing_extra_is_named(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match="lowlatency"):
        make_driver(name, DriverSettings())


def test_no_client_is_left_at_a_jack_server_that_gives_no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    class JackError(Exception):
        pass

    class Client:
        samplerate, blocksize, name, closed = RATE, 80, "ghostnote", 0

        def __getattr__(self, name: str) -> Any:
            raise JackError(f"{name}: the server is gone")

        def close(self) -> None:
            Client.closed += 1

    monkeypatch.setattr(jack, "load", lambda: SimpleNamespace(Client=lambda *_, **__: Client(), JackError=JackError))
    with pytest.raises(AudioError, match="gives no ports"):
        make_driver("jack", DriverSettings())
    assert Client.closed == 1


class Flaky(BlockingDriver):
    """A device that can be pulled out."""

    is_there = True
    made = 0
    device = "flaky"

    def __init__(self, settings: DriverSettings) -> None:
        if not Flaky.is_there:
            raise AudioError("no such device")
        super().__init__(settings)
        Flaky.made += 1

    def put(self, block: Audio) -> None:
        if not Flaky.is_there:
            raise OSError("device disconnected")


class Hanging(Flaky):
    """A device whose write never returns once it is gone."""

    def put(self, block: Audio) -> None:
        while not Flaky.is_there:
            time.sleep(0.05)


@pytest.mark.parametrize("cls", [Flaky, Hanging])
def test_a_device_that_goes_is_reported_replaced_and_taken_again(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DRIVERS, "flaky", DriverKind("flaky", "", ""))
    before = supervisor.make_driver
    monkeypatch.setattr(supervisor, "make_driver", lambda name, s: cls(s) if name == "flaky" else before(name, s))
    monkeypatch.setattr(supervisor, "SILENT_SECONDS", 0.15)
    monkeypatch.setattr(supervisor, "RETRY_SECONDS", 0.05)
    Flaky.is_there = True
    said: list[str] = []
    watched, render = DriverSupervisor("flaky", DriverSettings(RATE, 80)), Counting()
    watched.start(render, said.append)
    until(lambda: render.blocks > 3)
    Flaky.is_there = False

    def lost() -> bool:
        watched.check()
        return watched.is_lost

    until(lost)
    count = render.blocks
    until(lambda: render.blocks > count + 3)
    watched.check()
    assert watched.is_lost
    Flaky.is_there = True

    def back() -> bool:
        watched.check()
        return not watched.is_lost

    until(back)
    count = render.blocks
    until(lambda: render.blocks > count + 3)
    watched.stop()
    assert watched.losses == 1
    assert "'flaky' is gone" in said[0]
    assert "is back" in said[-1]


def test_the_clock_is_steadier_than_the_callbacks() -> None:
    clock, draw = BlockClock(48_000), np.random.default_rng(3)
    period = 128 / 48_000
    late = draw.exponential(0.0005, 4000)
    seen = [clock.block(n * period + late[n], 128) - n * period for n in range(4000)]
    assert np.std(seen[2000:]) < np.std(late) / 4
    assert abs(np.mean(seen[2000:]) - np.mean(late)) < 0.0002


def test_the_clock_follows_a_drift_and_begins_again_after_a_gap() -> None:
    clock = BlockClock(48_000)
    period = 256 / 48_000 * 1.0005
    errors = [clock.block(n * period, 256) - n * period for n in range(5000)]
    assert abs(errors[-1]) < 1e-4
    assert clock.block(5000 * period + 1.0, 256) == 5000 * period + 1.0

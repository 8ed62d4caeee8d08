import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live_fakes import FAKES, KIT, RATE, FakeSpec, best, carried_out, running, until

from ghostnote.bridge.cli.devices import devices
from ghostnote.bridge.devices.base import DriverSettings
from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.live.daemon import LiveSettings, run_live
from ghostnote.bridge.live.osc.server import OscSettings
from ghostnote.bridge.live.saved_settings import SavedSettings, load_settings, save_settings
from ghostnote.bridge.live.status import PlainView, bar, drawn, facts
from ghostnote.bridge.live.take.format import read_take
from ghostnote.bridge.live.take.render import render_take
from ghostnote.bridge.midi.events import NoteOn
from ghostnote.bridge.render.offline import RenderSettings

PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from live_fakes import FakeSpec, KIT, RATE
from ghostnote.bridge.devices.base import DriverSettings
from ghostnote.bridge.live.daemon import LiveSettings, run_live
from ghostnote.bridge.live.status import PlainView
if __name__ == "__main__":
    folder = Path({folder!r})
    settings = LiveSettings(KIT, lambda _: FakeSpec(), "file", DriverSettings(RATE, 80, file=folder / "out.wav"),
                            ("tcp:0",), None, None, folder / "take.mid", processes=1)
    plain = PlainView(lambda text: print(text, flush=True))
    def view(live):
        plain(live)
        if live.session.engine.counts.total() == 3:
            print("played", flush=True)
    run_live(settings, view)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_within_a_second(tmp_path: Path, number: int) -> None:
    folders = iter(range(5))

    def ending() -> float:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        return ended(folder, number)

    assert best(1.0, ending) <= 1.0


def ended(tmp_path: Path, number: int) -> float:
    """Play three notes, look at what is written, and return how long the program took from the signal to its end.

    It is given in seconds of a machine on which the program starts within two.
    """
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(tests=FAKES, folder=str(tmp_path)))
    started = time.monotonic()
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as program:
        lines = iter(program.stdout or ())
        opening = next(lines)
        port = int(opening.split("tcp:")[1].split(";")[0].split(",")[0])
        next(line for line in lines if line.startswith("ready"))
        slowness = max(1.0, (time.monotonic() - started) / 2)
        import mido.sockets

        with mido.sockets.connect("127.0.0.1", port) as midi:
            for note in (36, 38, 42):
                midi.send(mido.Message("note_on", note=note, velocity=100))
            next(line for line in lines if line.startswith("played"))
            time.sleep(0.3)
        began = time.monotonic()
        program.send_signal(number)
        assert program.wait(60) == 0
        seconds = (time.monotonic() - began) / slowness
    audio, _ = read_audio(tmp_path / "out.wav")
    assert abs(audio).max() > 0.05
    take = read_take(tmp_path / "take.mid")
    assert take is not None
    report = render_take(take, FakeSpec(), tmp_path / "again.wav", RenderSettings(jobs=1))
    again, _ = read_audio(tmp_path / "again.wav")
    late = round(0.0015 * RATE)
    common = min(again.shape[1], audio.shape[1] - late)
    assert report.notes == 3
    assert abs(audio[:, late : late + common] - again[:, :common]).max() < 10 ** (-90 / 20)
    assert not list(tmp_path.glob(".*.part"))
    return seconds


def test_what_is_played_is_fresh_and_the_status_tells() -> None:
    with running(midi=("tcp:0",)) as live:
        until(lambda: live.ready_seconds is not None)
        for _ in range(5):
            until(lambda: all(live.session.pool.queues[0].fresh))
            live.session.play(NoteOn(0, 36, 100), time.perf_counter())
            live.session.play(NoteOn(0, 99, 100), time.perf_counter())
            carried_out(live)
        assert live.session.engine.counts.total() == 5
        status = facts(live)
        assert status["notes_fresh"] == 5
        assert status["freshness"] == 1.0
        assert status["notes_unmapped"] == 5
        assert status["latency_ms"] == pytest.approx(10 + 1.5, abs=0.01)
        lines: list[str] = []
        PlainView(lines.append)(live)
        assert "latency 11.5 ms (block 10.0 + driver 0.0 + limiter 1.5)" in lines[0]
        from rich.console import Console

        console = Console(width=100, record=True, file=io.StringIO())
        console.print(drawn(live, ("a notice",)))
        text = console.export_text()
        assert "Snare Drum" in text
        assert "a notice" in text
        assert "5 notes" in text


def test_a_model_that_does_not_open_ends_the_daemon() -> None:
    settings = LiveSettings(
        KIT, lambda _: FakeSpec("damaged"), "null", DriverSettings(RATE, 80), (), OscSettings(port=0), processes=1
    )
    with pytest.raises(ModelError, match="not a model"):
        run_live(settings)


def test_threads_switch_as_before_when_the_daemon_has_ended() -> None:
    before = sys.getswitchinterval()
    with running():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before


def test_the_status_names_what_is_wrong_with_a_recording() -> None:
    with running() as live:
        live.supervisor.driver.trouble = "the disk takes nothing"
        until(lambda: "recording: the disk takes nothing (for " in str(facts(live)["trouble"]))
        live.supervisor.driver.trouble = ""
        until(lambda: not facts(live)["trouble"])


def test_meters_are_bars() -> None:
    assert bar(1.0, 8) == "█" * 8
    assert bar(0.0, 8) == "·" * 8
    assert bar(10 ** (-24 / 20), 8) == "████····"


def test_choices_are_remembered_and_damage_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "live.json"
    assert load_settings(path) == SavedSettings()
    save_settings(path, SavedSettings("jack", "system", 48_000, 128))
    assert load_settings(path) == SavedSettings("jack", "system", 48_000, 128)
    for text in ("", "[]", '{"rate": "fast"}', "{"):
        path.write_text(text)
        assert load_settings(path) == SavedSettings()


def test_the_devices_command_says_what_there_is_or_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    devices()
    text = capsys.readouterr().out
    assert all(f"{name}: " in text for name in ("pedalboard", "sounddevice", "jack", "file", "null"))
    assert "MIDI ports" in text

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_fakes import FAKES, KIT, RATE, FakeSpec, running, until
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.cli.logs import configure_logs
from ghostnote.bridge.devices.base import DriverSettings
from ghostnote.bridge.errors import ModelError, OutputError
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live.daemon import LiveSettings, run_live
from ghostnote.bridge.live.osc.codec import pack

PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from live_fakes import running
if __name__ == "__main__":
    with running() as live:
        live.session.say("what a user should know")
    print("ended")
"""


@pytest.fixture(autouse=True)
def logger() -> Iterator[None]:
    """Leave the logger as it was."""
    log = logging.getLogger("ghostnote")
    before, level = log.handlers[:], log.level
    yield
    for handler in set(log.handlers) - set(before):
        log.removeHandler(handler)
        handler.close()
    log.setLevel(level)


def test_a_log_says_what_was_opened_refused_lost_and_recorded(tmp_path: Path) -> None:
    path, take = tmp_path / "ghostnote.log", tmp_path / "take.mid"
    save_kit(KIT, tmp_path / "one.toml")
    configure_logs(False, path)
    with running(record=take, kits=tmp_path, midi=("tcp:0",)) as live:
        if live.osc is None:
            raise ValueError("no OSC")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(pack("/ghostnote/nonsense", ()), live.osc.address)
            until(lambda: live.session.counts["osc_errors"])
        live.session.load("one")
        live.supervisor.driver.lost = "it was unplugged"
        until(lambda: live.supervisor.is_lost)
    text = path.read_text("utf-8")
    for line in (
        "playing 'test' on no device, 8000 Hz; in: tcp:",
        "OSC 127.0.0.1:",
        "OSC /ghostnote/nonsense from 127.0.0.1 refused: there is no such address",
        "kit one loaded",
        "worker 0 started",
        "'no device' is gone (it was unplugged)",
        f"take {take} begun",
        f"take {take} ended: 0 strokes",
    ):
        assert line in text


def test_why_the_daemon_did_not_start_is_logged(tmp_path: Path) -> None:
    path = tmp_path / "ghostnote.log"
    configure_logs(False, path)
    with pytest.raises(ModelError):
        run_live(LiveSettings(KIT, lambda _: FakeSpec("damaged"), "null", DriverSettings(RATE, 80), processes=1))
    assert "refused: x.onnx is not a model" in path.read_text("utf-8")


def test_without_an_option_nothing_goes_to_stderr(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(tests=FAKES))
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert ended.stdout == "ended\n"
    assert ended.stderr == ""


def test_the_options_stand_before_the_command(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    assert CliRunner().invoke(app, ["--verbose", "--log-file", str(path), "osc"]).exit_code == 0
    logging.getLogger("ghostnote.test").info("what happened")
    assert "INFO ghostnote.test: what happened" in path.read_text("utf-8")


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands where the folder should be"):
        configure_logs(False, tmp_path / "file" / "a.log")

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from live_fakes import KIT, RATE, Noise, fill
from typer.testing import CliRunner

from ghostnote.bridge.cli.live import live
from ghostnote.bridge.cli.render import render
from ghostnote.bridge.devices.base import AudioError
from ghostnote.bridge.errors import GhostnoteError, InputError, OutputError
from ghostnote.bridge.inference import drum_cache
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.save import save_kit
from ghostnote.bridge.live import daemon
from ghostnote.bridge.live.commands import Play
from ghostnote.bridge.live.daemon import LiveSettings
from ghostnote.bridge.live.session import Session
from ghostnote.bridge.live.stroke_spec import LiveSpec
from ghostnote.bridge.live.take.recorder import TakeRecorder
from ghostnote.bridge.midi.events import NoteOn


@dataclass(frozen=True)
class SourceSpec:
    model: Path | None
    rate: int

    def open(self) -> Noise:
        return Noise()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[LiveSettings]:
    """Run the command without playing; return what it would have played with."""
    fake = ModuleType("ghostnote.bridge.inference.stroke_source")
    fake.SourceSpec = SourceSpec  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ghostnote.bridge.inference.stroke_source", fake)
    monkeypatch.setattr(typer, "get_app_dir", lambda _: str(tmp_path / "memory"))
    monkeypatch.setattr("ghostnote.bridge.cli.live._has_midi", lambda _: False)
    seen: list[LiveSettings] = []
    monkeypatch.setattr(daemon, "run_live", lambda settings, view: bool(seen.append(settings)))
    return seen


def run(command: Any, *arguments: object) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, GhostnoteError):
        raise result.exception
    if result.exit_code:
        raise AssertionError(result.output)
    return result.output


def test_the_options_reach_the_daemon(started: list[LiveSettings], tmp_path: Path) -> None:
    save_kit(KIT, tmp_path / "kit.toml")
    run(
        live, "--kit", tmp_path / "kit.toml", "--driver", "jack", "--rate", 44100, "--block", 64, "--seed", 5,
        "--midi-in", "tcp:5000", "--midi-in", "Pad", "--osc", "127.0.0.1:9123", "--osc-quit", "--record", "t.mid",
    )  # fmt: skip
    (settings,) = started
    assert settings.kit.seed == 5
    assert settings.kits == tmp_path
    assert settings.driver == "jack"
    assert (settings.audio.rate, settings.audio.block_frames) == (44_100, 64)
    assert settings.midi == ("tcp:5000", "Pad")
    assert settings.osc is not None
    assert (settings.osc.port, settings.osc.may_quit) == (9123, True)
    assert settings.record == Path("t.mid")
    assert settings.spec(44_100) == LiveSpec(None, 44_100)


def test_driver_device_rate_and_block_are_remembered(started: list[LiveSettings]) -> None:
    run(live, "--driver", "sounddevice", "--device", "Scarlett", "--rate", 96000, "--block", 32)
    run(live)
    run(live, "--driver", "jack")
    run(live, "--driver", "null")
    run(live)
    choices = [(s.driver, s.audio.device, s.audio.rate, s.audio.block_frames) for s in started]
    assert choices == [
        ("sounddevice", "Scarlett", 96_000, 32),
        ("sounddevice", "Scarlett", 96_000, 32),
        ("jack", None, 96_000, 32),
        ("null", None, 96_000, 32),
        ("jack", None, 96_000, 32),
    ]


def test_an_output_file_means_the_file_driver_and_osc_can_be_off(started: list[LiveSettings]) -> None:
    run(live, "--output", "x.wav", "--osc", "off")
    assert started[0].driver == "file"
    assert started[0].audio.file == Path("x.wav")
    assert started[0].osc is None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--osc", "0.0.0.0:9000"), "--osc-allow"),
        (("--osc", "here"), "HOST:PORT"),
        (("--kits", "/no/such/folder"), "no such folder"),
        (("--kit", "missing.toml"), "no such file"),
    ],
)
def test_bad_options_are_explained(started: list[LiveSettings], arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        run(live, *arguments)
    assert not started


def test_without_a_sound_device_the_ways_to_play_without_one_are_named(
    started: list[LiveSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> bool:
        raise AudioError("no sound device is there")

    monkeypatch.setattr(daemon, "run_live", failing)
    with pytest.raises(AudioError, match=r"no sound device is there; .*-o FILE.wav .*--driver null"):
        run(live)


def test_render_makes_a_take_again_and_refuses_to_change_it(
    started: list[LiveSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drum_cache, "CachedSpec", lambda spec: spec)
    path = tmp_path / "take.mid"
    session = Session(KIT, RATE, None, True, TakeRecorder(path, RATE, True), clock=lambda: 0.0)
    fill(session.pool)
    recorder = session.engine._recorder
    for n in range(4):
        session.engine.render(80, n * 0.01, ((n, Play(NoteOn(0, 36, 90))),))
    assert isinstance(recorder, TakeRecorder)
    recorder.save(session.engine.frame)
    text = run(render, path, "--output", tmp_path / "mix.wav", "--jobs", 1)
    assert "4 hits (Kick 4)" in text
    assert read_audio(tmp_path / "mix.wav")[1] == RATE
    with pytest.raises(InputError, match="live take"):
        run(render, path, "--output", tmp_path / "mix.wav", "--seed", 3)


def test_a_session_replaces_no_input_and_no_earlier_recording(
    started: list[LiveSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hit.wav").write_text("a hit")
    save_kit(replace(KIT, pads=(replace(KIT.pads[0], hit=tmp_path / "hit.wav"),)), tmp_path / "kit.toml")
    for name in ("take.mid", "out.wav", "cut.wav.ghostnote-part"):
        (tmp_path / name).write_text("an earlier recording")
    for option, name in (("--record", "kit.toml"), ("-o", "hit.wav"), ("--record", "hit.wav")):
        with pytest.raises(OutputError, match="also read"):
            run(live, "--kit", "kit.toml", option, name)
    with pytest.raises(OutputError, match="another output"):
        run(live, "-o", "new.wav", "--record", "./new.wav")
    with pytest.raises(OutputError, match=r"--record take\.wav: is a MIDI file, whose name ends in \.mid or \.midi"):
        run(live, "--record", "take.wav")
    assert not started
    text = run(live, "-o", "out.wav", "--record", "take.mid")
    assert (started[0].audio.file, started[0].record) == (Path("out-2.wav"), Path("take-2.mid"))
    assert "take.mid is there already: writing take-2.mid" in text
    assert "cut.wav.ghostnote-part: an unfinished recording" in text


@pytest.mark.parametrize("driver", ["null", "jack"])
def test_a_driver_that_writes_no_file_is_refused_beside_one(started: list[LiveSettings], driver: str) -> None:
    with pytest.raises(InputError, match=f"-o x.wav: is written by the file driver, not by {driver}: leave --driver"):
        run(live, "--driver", driver, "-o", "x.wav")
    run(live, "--driver", "sounddevice")
    run(live, "-o", "x.wav")
    run(live, "--driver", "file", "-o", "x.wav")
    assert [settings.driver for settings in started] == ["sounddevice", "file", "file"]


def test_without_a_midi_port_the_start_says_so_and_what_to_do(started: list[LiveSettings]) -> None:
    said = run(live, "--driver", "null", "--osc", "off")
    assert said.count("no MIDI comes in") == 1
    assert "--midi-in tcp:PORT" in said
    assert "no MIDI" not in run(live, "--driver", "null", "--osc", "off", "--midi-in", "tcp:5000")
    assert len(started) == 2

"""Ardour, headless, as the plugin's host: play, save, close, open, export, and the same sound."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from live_fakes import Noise
from plugin_rig import RATE, Home, home
from rig import need, onsets, sequencer
from test_ardour import LUA

from ghostnote.bridge.bench.jack_server import JackServer
from ghostnote.bridge.io.audio_file import read_audio

SNARE, KICK = 38, 36


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundles: Path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LV2_PATH", f"{bundles}:/usr/lib/lv2")
    with home(tmp_path) as made:
        yield made


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def test_a_session_that_is_opened_again_exports_the_same_sound_each_time(user: Home, tmp_path: Path) -> None:
    need("jackd", "jack_midiseq", LUA, LUA.replace("lua", "export"))
    for number in range(3):
        session = tmp_path / f"session{number}"
        with JackServer(256), sequencer(KICK, SNARE):
            said = run(LUA, str(Path(__file__).with_name("ardour_plugin.lua")), str(session))
        # JACK may refuse Ardour its ports while it tells others of clients that come and go.
        if "engine 0" not in said:
            break
    assert "kit set true" in said, said
    exported = []
    for name in ("first.wav", "second.wav"):
        said = run(LUA.replace("lua", "export"), "-o", str(tmp_path / name), str(session), "song")
        assert (tmp_path / name).is_file(), said
        audio, rate = read_audio(tmp_path / name)
        assert rate == RATE
        exported.append(audio)
    assert np.array_equal(*exported)
    starts = onsets(exported[0][0], 2_000, 0.003)
    assert len(starts) >= 8
    pads = [next(pad for pad in user.kit.pads if note in pad.notes) for note in (KICK, SNARE)]
    first = exported[0][0, starts[0] - 20 : starts[0] + 1_500]
    # Of the kit that the session saved, and the first stroke of the pad.
    alike = [np.abs(np.correlate(first, Noise().stroke(pad, 0, 64)[0, :1_000])).max() for pad in pads]
    other = [np.abs(np.correlate(first, Noise().stroke(pad, 9, 64)[0, :1_000])).max() for pad in pads]
    assert max(alike) > 3 * max(other)

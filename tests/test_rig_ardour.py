"""Ardour, headless: its MIDI track plays ghostnote over JACK, its audio track records the answer."""

import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from live_fakes import FakeSpec
from rig import need, onsets

from ghostnote.bridge.audiofile import read_audio
from ghostnote.bridge.kits.kit import Kit, Pad
from ghostnote.bridge.live.benchrig import Daemon, DaemonSetup
from ghostnote.bridge.live.jackserver import RATE, JackServer
from ghostnote.bridge.strokes import SourceSpec
from ghostnote.bridge.workers import Spec

NOTES = 5
KIT = Kit("ardour", 1, (Pad("Snare", (38,), "snare", seed=1),))
LUA = next(
    (name for name in ("ardour7-lua", "ardour8-lua", "ardour6-lua") if shutil.which(name)), "ardour7-lua"
)


def spec() -> Spec:
    """Return the shipped model's strokes, or noise where there is no model yet."""
    model = files("ghostnote.models") / "ghostnote.onnx"
    return SourceSpec(None, RATE) if model.is_file() else FakeSpec()


def test_five_notes_of_a_track_are_five_onsets_each_another_hit(tmp_path: Path) -> None:
    need("jackd", LUA)
    script = Path(__file__).with_name("rig_ardour.lua")
    session = tmp_path / "session"
    # Ardour keeps its settings in the home folder: it gets one of its own.
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    with JackServer(256), Daemon(DaemonSetup(KIT, spec(), processes=1)) as daemon:
        home["JACK_DEFAULT_SERVER"] = os.environ["JACK_DEFAULT_SERVER"]
        done = subprocess.run(
            [LUA, str(script), str(session)],
            env=home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        told = daemon.ask()
    recorded = sorted(session.glob("interchange/*/audiofiles/*.wav"))
    assert recorded, f"Ardour recorded nothing: {done.stdout}\n{done.stderr}"
    audio, rate = read_audio(recorded[0])
    starts = onsets(audio[0], rate // 4)
    print("onsets at", [round(start / rate, 3) for start in starts])
    assert len(starts) == NOTES
    assert np.diff(starts) / rate == pytest.approx(1.0, abs=0.05)
    hits = np.stack([audio[0, start : start + rate // 10] for start in starts])
    alike = np.corrcoef(hits)
    print("correlations of the hits:\n", alike.round(3))
    assert (alike - np.eye(NOTES)).max() < 0.999
    assert told["notes_fresh"] == NOTES

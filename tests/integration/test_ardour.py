"""Ardour, headless: its MIDI track plays ghostnote over JACK, its audio track records the answer."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from live_fakes import FakeSpec
from rig import need, onsets

from ghostnote.bridge.bench.jack_server import RATE, JackServer
from ghostnote.bridge.bench.rig import Daemon, DaemonSetup
from ghostnote.bridge.errors import AudioFileError
from ghostnote.bridge.inference.stroke_source import SourceSpec
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.kit.kit import Kit, Pad
from ghostnote.bridge.live.pad_parameters import Value
from ghostnote.bridge.render.workers import Spec

NOTES = 5
KIT = Kit("ardour", 1, (Pad("Snare", (38,), "snare", seed=1),))
LUA = next((name for name in ("ardour7-lua", "ardour8-lua", "ardour6-lua") if shutil.which(name)), "ardour7-lua")


def spec() -> Spec:
    """Return the shipped model's strokes, or noise where there is no model yet."""
    model = files("ghostnote.models") / "ghostnote.onnx"
    return SourceSpec(None, RATE) if model.is_file() else FakeSpec()


@dataclass(frozen=True)
class Recording:
    """What Ardour recorded, and what it and the daemon status."""

    audio: np.ndarray
    starts: list[int]
    """The frames at which a hit begins."""
    sent: list[int]
    """The frames of Ardour's transport at which it sent the notes."""
    status: dict[str, Value]

    @property
    def is_in_time(self) -> bool:
        steps = np.diff(self.starts) - np.diff(self.sent) if len(self.starts) == len(self.sent) == NOTES else [RATE]
        return bool(np.abs(steps).max() <= 0.05 * RATE and self.status["notes_fresh"] == NOTES)

    @property
    def is_disturbed(self) -> bool:
        return not self.starts or any(self.status[name] for name in ("server_gaps", "underruns", "device_losses"))


def recording(tmp_path: Path) -> Recording:
    """Let Ardour play five notes and record the answer."""
    tmp_path.mkdir()
    script = Path(__file__).with_name("ardour.lua")
    session = tmp_path / "session"
    # Ardour keeps its settings in the home folder: it gets one of its own.
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    with JackServer(256), Daemon(DaemonSetup(KIT, spec(), processes=1)) as daemon:
        home["JACK_DEFAULT_SERVER"] = os.environ["JACK_DEFAULT_SERVER"]
        done = subprocess.run(
            [LUA, str(script), str(session)], env=home, capture_output=True, text=True, timeout=300, check=False
        )
        status = daemon.ask()
    audio = np.zeros((1, 0), np.float32)
    try:
        recorded = next(session.glob("interchange/*/audiofiles/*.wav"))
        audio, rate = read_audio(recorded)
        assert rate == RATE
    except (StopIteration, AudioFileError) as error:
        print(f"Ardour recorded nothing ({error}): {done.stdout}\n{done.stderr}")
    sent = [int(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("note at")]
    return Recording(audio[0], onsets(audio[0], RATE // 4) if audio.size else [], sent, status)


def test_five_notes_of_a_track_are_five_onsets_each_another_hit(tmp_path: Path) -> None:
    need("jackd", LUA)
    for number in range(5):
        take = recording(tmp_path / f"{number}")
        print("onsets at", take.starts, "sent at", take.sent)
        # Where blocks came too late, by JACK's own count, or its server ended, or Ardour's transport never rolled, the
        # take says nothing: then another.
        if take.is_in_time or not take.is_disturbed:
            break
    assert len(take.starts) == len(take.sent) == NOTES
    assert np.diff(take.starts) / RATE == pytest.approx(np.diff(take.sent) / RATE, abs=0.05)
    hits = np.stack([take.audio[start : start + RATE // 10] for start in take.starts])
    alike = np.corrcoef(hits)
    print("correlations of the hits:\n", alike.round(3))
    assert (alike - np.eye(NOTES)).max() < 0.999
    assert take.status["notes_fresh"] == NOTES

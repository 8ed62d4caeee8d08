"""Ctrl-C and SIGTERM while a model's graph runs without end."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import mido
import numpy as np
import pytest
from batch_fakes import RATE, hit
from endless_model import write_endless_model
from live_fakes import until

from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.io.audio_file import write_audio

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals on this system")


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    path = tmp_path / "endless.onnx"
    write_endless_model(path)
    return path


def test_a_graph_without_end_gives_way_to_a_signal_in_the_main_thread(endless: Path) -> None:
    generator = Generator.open(endless)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        generator.encode_reference(np.ones((1, generator.card.hit_frames), np.float32), 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["render --jobs 1", "render --jobs 2", "humanize", "live"])
def test_a_graph_without_end_gives_way_to_a_signal_in(
    endless: Path, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    song, snare, out = tmp_path / "song.mid", tmp_path / "snare.wav", tmp_path / "out"
    notes = mido.MidiTrack([mido.Message("note_on", note=38, velocity=90, time=10)] * 4)
    mido.MidiFile(tracks=[notes]).save(song)
    write_audio(snare, hit(), RATE)
    name, *options = command.split()
    arguments = {
        "render": [str(song), "-o", str(out / "mix.wav")],
        "humanize": [str(snare), "-o", str(out), "--jobs", "1"],
        "live": ["-o", str(out / "live.wav"), "--osc", "off"],
    }
    program = [sys.executable, "-m", "ghostnote.bridge.cli", name, *arguments[name], *options, "--model", str(endless)]
    process = subprocess.Popen(program, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: out.is_dir() and any(out.iterdir()), 60)
        process.send_signal(number)
        # Live playing ends well, but where it has not begun yet.
        assert process.wait(60) in ((0, 130) if name == "live" else (130,))
    finally:
        process.kill()
        process.wait()
    assert not list(out.glob("*.part"))

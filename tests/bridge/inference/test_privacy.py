"""Nothing leaves the computer, and nothing stays on it but ghostnote's own cache."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mido
import pytest
from live_program import play

import ghostnote.bridge
from ghostnote.bridge.kit.kit import Kit, Pad

SOURCES = Path(ghostnote.bridge.__file__).parents[1]
KIT = Kit("one", 1, (Pad("Kick", (36,), "kick", steps=1),))
STRACE = shutil.which("strace")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack([mido.Message("note_on", note=36, velocity=90, time=10)]))
    file.save(tmp_path / "song.mid")
    return tmp_path / "song.mid"


def environment(home: Path) -> dict[str, str]:
    """Return that of a user whose home is `home`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "ORT_"))}
    return {**kept, "HOME": str(home)}


def run(home: Path, *arguments: object, before: tuple[str, ...] = ()) -> str:
    """Run ghostnote as a user does whose home is `home`, and return what it prints."""
    command = [*before, sys.executable, "-m", "ghostnote.bridge.cli", *map(str, arguments)]
    done = subprocess.run(command, env=environment(home), cwd=home.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_fresh_home_holds_nothing_but_the_drum_cache(tmp_path: Path, song: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert "intact" in run(home, "model", "info")
    run(home, "render", song, "-o", tmp_path / "song.wav", "--jobs", 2)
    # The drums of the kits that come along are ready-made.
    assert not list(home.iterdir())
    (tmp_path / "kit.toml").write_text('[[pad]]\nname = "Kick"\nnotes = [36]\n')
    run(home, "render", song, "-o", tmp_path / "song.wav", "--jobs", 2, "--kit", tmp_path / "kit.toml")
    files = {path.relative_to(home) for path in home.rglob("*") if not path.is_dir()}
    assert [path.parts[:2] for path in files] == [(".cache", "ghostnote")]
    assert {path.suffix for path in files} == {".wav"}
    assert {path.name for path in tmp_path.iterdir()} == {"home", "kit.toml", "song.mid", "song.wav"}


def test_live_leaves_nothing_in_a_fresh_home_but_the_drum_cache(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert play(KIT, tmp_path, env=environment(home), cwd=tmp_path, stdout=subprocess.DEVNULL).returncode == 0
    files = {path.relative_to(home) for path in home.rglob("*") if not path.is_dir()}
    assert {path.parts[:2] for path in files} == {(".cache", "ghostnote")}
    assert {path.suffix for path in files} == {".wav"}
    assert {path.name for path in tmp_path.iterdir()} == {"home", "kit.toml"}


@pytest.mark.skipif(STRACE is None, reason="needs strace")
def test_live_opens_no_socket_of_the_net_but_its_own_on_this_computer(tmp_path: Path) -> None:
    trace = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=%network", "-o", str(tmp_path / "trace"))
    if subprocess.run([*trace, "true"], capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    (tmp_path / "home").mkdir()
    quiet = {"env": environment(tmp_path / "home"), "stdout": subprocess.DEVNULL}
    assert play(KIT, tmp_path, *trace, **quiet).returncode == 0
    calls = [text for text in (tmp_path / "trace").read_text().splitlines() if "AF_INET" in text]
    assert sum("socket(" in text for text in calls) == sum("bind(" in text for text in calls) == 1
    assert all('inet_addr("127.0.0.1")' in text for text in calls if "socket(" not in text)


@pytest.mark.skipif(STRACE is None, reason="needs strace")
def test_no_socket_is_opened_and_no_host_is_looked_up(tmp_path: Path, song: Path) -> None:
    trace = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=socket,connect", "-o", str(tmp_path / "trace"))
    if subprocess.run([*trace, "true"], capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    (tmp_path / "home").mkdir()
    run(tmp_path / "home", "render", song, "-o", tmp_path / "song.wav", "--jobs", 2, before=trace)
    assert "AF_INET" not in (tmp_path / "trace").read_text()


def test_the_library_is_loaded_in_one_place_which_turns_its_telemetry_off_first() -> None:
    loads = re.compile(r"^\s*(import|from) onnxruntime\b", re.MULTILINE)
    rooms = [SOURCES / room for room in ("bridge", "export", "models")]
    found = [path for room in rooms for path in room.rglob("*.py") if loads.search(path.read_text("utf-8"))]
    assert [path.name for path in found] == ["onnx_runtime.py"]
    asked = "import os, ghostnote.bridge.inference.model; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout == "1\n"
    text = found[0].read_text("utf-8")
    assert text.index("ORT_DISABLE_TELEMETRY") < text.index("import onnxruntime\n")

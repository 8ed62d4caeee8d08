"""What the program says where the system refuses: one line with the name, the cause and what to do, and no bug."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mido
import pytest
from batch_fakes import RATE, hit

from ghostnote.bridge.io.audio_file import write_audio

LONG = "x" * 300
GONE = "the current folder is gone; change to another one"


def run(folder: Path, *arguments: object, shell: str = '"$@"') -> subprocess.CompletedProcess[str]:
    """Run ghostnote in a folder, in a shell that does something before or with its streams."""
    command = ["bash", "-c", shell, "bash", sys.executable, "-m", "ghostnote.bridge.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_audio(tmp_path / "snare.wav", hit(), RATE)
    mido.MidiFile(tracks=[mido.MidiTrack([mido.Message("note_on", note=38, velocity=90)])]).save(tmp_path / "song.mid")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("slice snare.wav -o .", "cannot write .: it is a folder; name what is to be made in it"),
        ("demo -o .", ".: is a folder; give a file name"),
        ("slice snare.wav -o /dev/null", "cannot write /dev/null: a file stands where the folder should be"),
        ("explore -c snare -o song.mid", "cannot write song.mid: a file stands where the folder should be"),
        ("tweak snare.wav --bright 1 -o song.mid/x", "cannot write song.mid/x: a part of the path is a file"),
        ("kit export dry --to sfz -o /dev/null", "cannot write /dev/null: a file stands where the folder should be"),
        ("kit export dry --to sfz -o snare.wav/x", "cannot write snare.wav/x: a part of the path is a file"),
        ("render song.mid --steps 0 -o /proc/x.wav", "cannot write /proc/x.wav: nothing can be made in its folder"),
        (f"kit show {LONG}", "xxx…: the name is too long; choose a shorter one"),
        (f"tweak {LONG} --bright 1", "xxx…: the name is too long; choose a shorter one"),
        (f"render song.mid --stems {LONG} --steps 0", "the name is too long; choose a shorter one"),
    ],
)
def test_a_path_that_cannot_serve_is_refused_at_once(folder: Path, command: str, said: str) -> None:
    before = sorted(folder.iterdir())
    began = time.monotonic()
    done = run(folder, *command.split())
    assert said in done.stderr
    assert (done.returncode in (1, 2), done.stderr.count("\n")) == (True, 1)
    assert sorted(folder.iterdir()) == before
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("command", ["kit new x.toml", "humanize {}/snare.wav -o o"])
def test_a_current_folder_that_is_gone_is_said(folder: Path, command: str) -> None:
    (folder / "here").mkdir()
    done = run(folder / "here", *command.format(folder).split(), shell='rmdir ../here; "$@"')
    assert GONE in done.stderr
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's devices")
@pytest.mark.parametrize("command", ["--version", "kit show", "kit map gm"])
def test_a_full_disk_behind_standard_output_is_said(folder: Path, command: str) -> None:
    done = run(folder, *command.split(), shell='"$@" >/dev/full')
    said = "ghostnote: standard output: the disk is full; free some space or choose another folder\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals on this system")
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_an_interrupt_while_the_program_is_loaded_prints_no_traceback(folder: Path, share: float) -> None:
    # From its first line on: before, Python itself is loaded.
    program = (
        "import sys; from ghostnote.bridge.cli.program import main; "
        "sys.argv = ['ghostnote', 'kit', 'check', 'default']; print(1, flush=True); main()"
    )
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=True)
    whole = time.monotonic() - began
    with subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "1\n"
        time.sleep(share * whole / 2 + 0.02)
        os.kill(process.pid, signal.SIGINT)
        code, said = process.wait(60), process.stderr.read()
    assert "Traceback" not in said
    assert code in (130, 0)
    assert said in ("", "ghostnote: interrupted; no unfinished files are left\n")

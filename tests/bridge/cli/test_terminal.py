"""Names that a terminal cannot show, or that would steer it, and terminals that are gone."""

import os
import subprocess
import sys
import threading
import tomllib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import mido
import pytest
from batch_fakes import RATE, hit
from live_program import play
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.io.audio_file import write_audio
from ghostnote.bridge.io.printable import printable
from ghostnote.bridge.kit.fields import quoted
from ghostnote.bridge.kit.kit import Kit, Pad

EVIL = "\x1b[2Jevil\n\u202ename\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Größe 日本 kit", "plain Größe 日本 kit"),
        (EVIL, r"\x1b[2Jevil\n\u202ename\x07"),
        ("latin\udcff1", r"latin\udcff1"),
        ("\x9b31m", r"\x9b31m"),
    ],
)
def test_what_would_steer_a_terminal_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_line_has_an_end() -> None:
    assert len(printable("a" * 1_000_000)) == 4_001


def run(*arguments: object, shell: str = '"$@"', encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    """Run ghostnote in a shell that does something with its streams."""
    command = ["bash", "-c", shell, "bash", sys.executable, "-m", "ghostnote.bridge.cli", *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True)


def test_no_raw_escape_code_is_printed_in_an_error_or_a_log(tmp_path: Path) -> None:
    done = run("--log-file", tmp_path / "log", "kit", "check", tmp_path / f"{EVIL}.toml")
    assert done.returncode == 2
    assert rb"\x1b[2Jevil\n" in done.stderr
    assert b"\x1b" not in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.fixture
def song(tmp_path: Path) -> Path:
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack([mido.Message("note_on", note=3, velocity=90, time=10)] * 2))
    file.tracks[0].append(mido.Message("note_on", note=36, velocity=90, time=10))
    file.save(tmp_path / "song.mid")
    return tmp_path / "song.mid"


@pytest.mark.parametrize(
    ("shell", "encoding"),
    [('"$@"', "cp1252"), ('"$@" <&- >&- 2>&-', "utf-8"), ('set -o pipefail; "$@" 2>&1 | true', "utf-8")],
)
def test_a_terminal_that_cannot_show_a_name_or_is_gone_never_ends_a_render(
    tmp_path: Path, song: Path, shell: str, encoding: str
) -> None:
    output = tmp_path / "日本 \x1b[2J ß.wav"
    # The pipe's reader is gone before the first word is printed.
    done = run("render", song, "-o", output, "--steps", 0, "--jobs", 1, shell=shell, encoding=encoding)
    assert (done.returncode, done.stderr.count(b"Traceback")) == (0, 0)
    assert output.stat().st_size > 1_000
    assert b"\x1b" not in done.stdout
    if encoding == "cp1252":
        assert rb"\u65e5\u672c \x1b[2J " + "ß".encode("cp1252") in done.stdout


TERMINALS = {
    "cp1252": ("pipe", '"$@"', {"PYTHONIOENCODING": "cp1252"}),
    "closed": ("pipe", '"$@" <&- >&- 2>&-', {}),
    "gone": ("pipe", 'set -o pipefail; "$@" 2>&1 | true', {}),
    "full": ("pipe", '"$@" >/dev/full', {}),
    "ascii": ("terminal", '"$@"', {"PYTHONIOENCODING": "ascii", "TERM": "xterm"}),
    "dumb": ("terminal", '"$@"', {"PYTHONIOENCODING": "ascii", "TERM": "dumb"}),
}


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's terminals and devices")
@pytest.mark.parametrize("name", TERMINALS)
def test_a_terminal_that_cannot_show_a_name_or_is_gone_never_ends_live(tmp_path: Path, name: str) -> None:
    kind, shell, changes = TERMINALS[name]
    kit = Kit("日本 ß", 1, (Pad("Größe 日本", (36,), "kick", steps=0),))
    folder = tmp_path / "\x1b[2J ß"
    folder.mkdir()
    ours, theirs = os.openpty() if kind == "terminal" else os.pipe()
    shown = bytearray()
    reader = threading.Thread(target=drain, args=(ours, shown))
    reader.start()
    with os.fdopen(theirs, "wb") as out:
        done = play(kit, folder, "bash", "-c", shell, "bash", env={**os.environ, **changes}, stdout=out, stderr=out)
    reader.join(60)
    os.close(ours)
    assert (done.returncode, shown.count(b"Traceback")) == (0, 0)
    assert b"\x1b[2J" not in shown
    if name in ("cp1252", "ascii", "dumb"):
        assert rb"\u65e5\u672c" in shown
        assert b"1 note, " in shown
    if name in ("cp1252", "dumb"):
        assert b"\x1b" not in shown


def drain(descriptor: int, into: bytearray) -> None:
    """Read until the other side is closed."""
    with suppress(OSError):
        while data := os.read(descriptor, 4096):
            into += data


@pytest.mark.parametrize(
    ("shell", "encoding"),
    [
        ('"$@"', "cp1252"),
        ('TERM=dumb "$@"', "ascii"),
        ('"$@" <&- >&- 2>&-', "utf-8"),
        ('set -o pipefail; "$@" 2>&1 | true', "utf-8"),
    ],
)
def test_a_terminal_that_cannot_show_a_name_or_is_gone_never_ends_humanize(
    tmp_path: Path, shell: str, encoding: str
) -> None:
    pack, output = tmp_path / "日本 \x1b[2J ß", tmp_path / "out 日本\u202e ß"
    pack.mkdir()
    write_audio(pack / "snare 日本\u202e\x9b ß.wav", hit(), RATE)
    write_audio(pack / "sound 日本\n ß.wav", hit(seed=2), RATE)
    options = ("-o", output, "--steps", 0, "--jobs", 1, "-n", 1, "--velocities", 1, "--export", "sfz")
    done = run("humanize", pack, *options, shell=shell, encoding=encoding)
    assert (done.returncode, done.stderr.count(b"Traceback")) == (0, 0), done.stderr
    manifest = (output / "manifest.csv").read_text("utf-8")
    assert manifest.count("\n") == 3
    assert not set(manifest) & set("\u202e\x9b\x1b")
    names = [path.name for path in output.rglob("*")]
    assert len([name for name in names if name.endswith(".wav")]) == 4
    assert not [name for name in names if set(name) & set("\n\u202e\x9b\x1b")]
    assert b"\x1b" not in done.stdout
    if encoding == "cp1252":
        assert b"note: " in done.stdout
        assert rb"\u65e5\u672c\u202e" in done.stdout


def test_no_raw_escape_code_of_a_model_file_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Generator.open()
    training = {f"[red]{EVIL}": EVIL}
    opened.card = replace(opened.card, name=f"[bold]{EVIL}", credits=(EVIL,), training=training)
    monkeypatch.setattr(Generator, "open", lambda *_: opened)
    shown = CliRunner().invoke(app, ["model", "info"], env={"COLUMNS": "200"}).stdout
    assert not set(shown) & set("\x1b\x07\u202e")
    assert rf"[bold]{printable(EVIL)}" in shown
    assert rf"training: [red]{printable(EVIL)}" in shown


@pytest.mark.parametrize("character", ["\x1b", "\x7f", "\x9b", "\n", "\u202e", "\u2028", '"', "ß"])
def test_no_raw_escape_code_or_line_end_is_saved_in_a_kit_file(character: str) -> None:
    text = quoted(f"a{character}b")
    assert (character in text) == (character in '"ß')
    assert tomllib.loads(f"name = {text}")["name"] == f"a{character}b"


@pytest.mark.parametrize("count", [1, 2])
def test_a_tool_shows_on_a_terminal_that_it_works(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(count):
        write_audio(tmp_path / f"hit{number}.wav", hit(), RATE)
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    command = ["repair", *files, "-o", str(tmp_path / "out")]
    quiet = CliRunner().invoke(app, command)
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = CliRunner().invoke(app, command)
    assert (quiet.exit_code, shown.exit_code) == (0, 0)
    assert "━" in shown.stderr
    assert "━" not in quiet.stderr

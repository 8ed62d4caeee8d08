import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from live_fakes import until
from numpy.typing import NDArray
from typer.testing import CliRunner

from ghostnote.bridge.cli.app import app
from ghostnote.bridge.errors import OutputError
from ghostnote.bridge.io import recording
from ghostnote.bridge.io.audio_file import AudioWriter, read_audio
from ghostnote.bridge.io.partial_files import remove_stale
from ghostnote.bridge.io.recording import PART_SUFFIX, Recording, finish, unfinished

RATE = 8_000
Audio = NDArray[np.float32]
RECORD = """
import sys, time
from pathlib import Path
import numpy as np
from ghostnote.bridge.io.recording import Recording
made = Recording(Path(sys.argv[1]), 8000, print)
made.open()
for n in range(100):
    made.put(np.full((2, 400), (n + 1) / 200, np.float32))
while made._waiting:
    time.sleep(0.01)
time.sleep(0.1)
print("written", flush=True)
time.sleep(60)
"""


@pytest.fixture
def spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the recordings of a bad disk go on in one folder, soon."""
    folder = tmp_path / "spare"
    folder.mkdir()
    monkeypatch.setattr(recording, "spare_folders", lambda: [folder])
    monkeypatch.setattr(recording, "FROZEN_SECONDS", 0.3)
    monkeypatch.setattr(recording, "_RETRY_SECONDS", 0.05)
    return folder


def disk(monkeypatch: pytest.MonkeyPatch, act: Callable[[Path, int], None]) -> None:
    """Call `act` with the place and the frames so far of each file before a block is written to it."""
    write = recording._Part.write

    def acting(part: recording._Part, block: Audio) -> None:
        act(part.place, part.frames)
        write(part, block)

    monkeypatch.setattr(recording._Part, "write", acting)


def block(number: int) -> Audio:
    """Return a block that holds its own number."""
    return np.full((2, 400), (number + 1) / 200, np.float32)


def numbers(*files: Path) -> list[int]:
    """Return which blocks the files hold, one after the other."""
    audio = np.concatenate([read_audio(file)[0] for file in files], axis=1)
    return [round(value) - 1 for value in (audio[0, ::400] * 200).tolist()]


def test_a_recording_appears_whole_under_a_name_that_was_free(tmp_path: Path) -> None:
    path, said = tmp_path / "new" / "out.wav", list[str]()
    for _ in range(2):
        made = Recording(path, RATE, said.append)
        made.open()
        for number in range(50):
            made.put(block(number))
        made.close()
    assert numbers(path) == numbers(path.with_name("out-2.wav")) == list(range(50))
    assert [name.name for name in sorted(path.parent.iterdir())] == ["out-2.wav", "out.wav"]
    assert said == [f"the recording is {path.with_name('out-2.wav')}"]


def test_a_full_disk_keeps_what_there_is_and_the_rest_goes_elsewhere(
    tmp_path: Path, spare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, said = tmp_path / "out.wav", list[str]()

    def full(place: Path, frames: int) -> None:
        if place.parent == tmp_path and frames >= 30 * 400:
            monkeypatch.setattr(
                shutil, "disk_usage", lambda folder: SimpleNamespace(free=2**30 if folder == spare else 0)
            )
            raise OutputError(f"cannot write {place}: the disk is full")

    disk(monkeypatch, full)
    made = Recording(path, RATE, said.append)
    made.open()
    for number in range(100):
        made.put(block(number))
    made.close()
    assert numbers(path) == list(range(30))
    assert numbers(spare / "out.wav") == list(range(30, 100))
    assert "disk is full" in said[0]
    assert str(path) in said[0]
    assert str(spare) in said[1]


def test_no_error_ends_the_thread_that_records_and_the_trouble_is_named_until_it_is_over(
    tmp_path: Path, spare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, said, go_on = tmp_path / "out.wav", list[str](), threading.Event()

    def failing(place: Path, frames: int) -> None:
        if place == path.with_name(path.name + PART_SUFFIX) and frames >= 30 * 400:
            raise MemoryError("no memory is left")
        if frames == 0 and made.trouble == "no memory is left":
            go_on.wait(60)

    disk(monkeypatch, failing)
    made = Recording(path, RATE, said.append)
    made.open()
    for number in range(100):
        made.put(block(number))
    until(lambda: made.trouble == "no memory is left")
    go_on.set()
    until(lambda: not made.trouble)
    made.close()
    assert numbers(*made.files) == list(range(100))
    assert "no memory is left; 1.5 s are kept" in said[0]


def test_a_frozen_disk_holds_up_nobody_and_loses_nothing(
    tmp_path: Path, spare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, thawed, said = tmp_path / "out.wav", threading.Event(), list[str]()

    def frozen(place: Path, frames: int) -> None:
        if place.parent == tmp_path and frames >= 30 * 400:
            thawed.wait(60)

    disk(monkeypatch, frozen)
    made = Recording(path, RATE, said.append)
    made.open()
    longest = 0.0
    for number in range(100):
        began = time.perf_counter()
        made.put(block(number))
        longest = max(longest, time.perf_counter() - began)
        time.sleep(0.01)
    assert longest < 0.25
    made.close()
    thawed.set()
    until(lambda: path.exists())
    assert numbers(path)[:30] == list(range(30))
    assert numbers(spare / "out.wav") == list(range(30, 100))
    assert "takes nothing" in said[0]


def test_a_disk_that_is_slow_to_answer_is_caught_up_with_in_fewer_writes(
    tmp_path: Path, spare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = list[int]()
    disk(monkeypatch, lambda _, frames: (writes.append(frames), time.sleep(0.02))[1])
    made = Recording(tmp_path / "out.wav", RATE, print)
    made.open()
    for number in range(1000):
        made.put(block(number % 100))
    made.close()
    assert numbers(tmp_path / "out.wav") == [number % 100 for number in range(1000)]
    assert len(writes) < 200
    assert not list(spare.iterdir())


def test_a_disk_that_stands_still_for_a_moment_leaves_one_whole_file(
    tmp_path: Path, spare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "FROZEN_SECONDS", 20.0)
    disk(monkeypatch, lambda _, frames: time.sleep(0.5 if frames == 400 else 0))
    made = Recording(tmp_path / "out.wav", RATE, print)
    made.open()
    for number in range(100):
        made.put(block(number))
    made.close()
    assert numbers(tmp_path / "out.wav") == list(range(100))
    assert not list(spare.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="a killed process frees its files later")
@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".flac", ".ogg"])
def test_the_recording_of_a_killed_process_is_kept_named_and_recovered(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    process = subprocess.Popen([sys.executable, "-c", RECORD, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    assert unfinished(tmp_path) == []  # It is still being written.
    process.kill()
    process.wait()
    process.stdout.close()
    part = path.with_name(path.name + PART_SUFFIX)
    remove_stale(tmp_path)
    assert unfinished(tmp_path) == [part]
    path.write_text("another recording")
    result = CliRunner().invoke(app, ["recover", str(tmp_path)])
    assert result.exit_code == 0, result.output
    recovered = tmp_path / f"out-2{suffix}"
    assert str(recovered) in result.output
    if suffix in (".wav", ".aiff"):
        assert numbers(recovered) == list(range(100))
    else:
        # The encoder had not given out its last frames.
        assert read_audio(recovered)[0].shape[1] > 25_000
    assert path.read_text() == "another recording"
    assert unfinished(tmp_path) == []


def test_a_part_of_more_than_four_gigabytes_gets_a_64_bit_header(tmp_path: Path) -> None:
    part = tmp_path / f"long.wav{PART_SUFFIX}"
    with part.open("w+b") as file:
        with AudioWriter(tmp_path / "long.wav", RATE, into=file) as writer:
            writer.write(block(1))
        file.truncate(2**32 + 600)  # Silence, and no bytes on the disk.
    path = finish(part)
    head = path.read_bytes()[:80] if path.stat().st_size < 2**20 else path.open("rb").read(80)
    assert head[:4] == b"RF64"
    assert head[12:16] == b"ds64"
    assert int.from_bytes(head[20:28], "little") == 2**32 + 600 - 8


def test_a_part_without_sound_is_refused_and_left(tmp_path: Path) -> None:
    part = tmp_path / f"out.wav{PART_SUFFIX}"
    part.write_bytes(b"")
    with pytest.raises(OutputError, match="no sound"):
        finish(part)
    assert part.exists()

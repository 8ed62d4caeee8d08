"""Real disks that are full or frozen: takes and recordings lose nothing, and say what is wrong."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from live_fakes import KIT, level_hit, until

from ghostnote.bridge.bench.trial_disk import TrialDisk
from ghostnote.bridge.errors import GhostnoteError, OutputError
from ghostnote.bridge.io import recording
from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.io.recording import PART_SUFFIX, Recording
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.live.take import recorder as take_recorder
from ghostnote.bridge.live.take.format import read_take
from ghostnote.bridge.live.take.recorder import TakeRecorder, TakeSaver

RATE = 8_000
BLOCK = np.full((2, 400), 0.5, np.float32)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[TrialDisk]:
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(TrialDisk(tmp_path / "disk", 2**26))
        except GhostnoteError as error:
            pytest.skip(str(error))
        yield made


def test_files_are_written_replaced_listed_and_read(disk: TrialDisk) -> None:
    for data in (b"first", b"second" * 100_000):
        write_bytes(disk.folder / "a.mid", data)
    assert [path.name for path in disk.folder.iterdir()] == ["a.mid"]
    assert (disk.folder / "a.mid").read_bytes() == (disk.files / "a.mid").read_bytes() == data


def test_a_full_disk_refuses_and_keeps_what_was_there_until_there_is_room(disk: TrialDisk) -> None:
    write_bytes(disk.folder / "a.mid", b"first")
    disk.fill()
    with pytest.raises(OutputError, match="the disk is full"):
        write_bytes(disk.folder / "a.mid", b"second")
    assert (disk.folder / "a.mid").read_bytes() == b"first"
    disk.empty()
    write_bytes(disk.folder / "a.mid", b"second")
    assert [path.name for path in disk.folder.iterdir()] == ["a.mid"]


def test_a_frozen_disk_lets_writers_wait(disk: TrialDisk) -> None:
    disk.freeze()
    writer = threading.Thread(target=write_bytes, args=(disk.folder / "a.mid", b"data"))
    writer.start()
    writer.join(0.5)
    assert writer.is_alive()
    disk.thaw()
    writer.join(30)
    assert (disk.folder / "a.mid").read_bytes() == b"data"


def seconds_in(*files: Path) -> float:
    return sum(read_audio(file)[0].shape[1] for file in files) / RATE


@pytest.fixture
def spare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "spare").mkdir()
    monkeypatch.setattr(recording, "_SLOW_SECONDS", 1.0)
    monkeypatch.setattr(recording, "spare_folders", lambda: [tmp_path / "spare"])
    return tmp_path / "spare"


def begun(disk: TrialDisk) -> tuple[Recording, list[str]]:
    """Return a recording of which a second is on the disk, and what it says."""
    said = list[str]()
    made = Recording(disk.folder / "out.wav", RATE, said.append)
    made.open()
    for _ in range(20):
        made.put(BLOCK)
    part = disk.files / f"out.wav{PART_SUFFIX}"
    until(lambda: part.stat().st_size > 20 * 400 * 2 * 3)
    return made, said


def test_a_recording_says_that_its_disk_is_frozen_and_loses_nothing_when_it_thaws(disk: TrialDisk, spare: Path) -> None:
    made, _ = begun(disk)
    assert not made.trouble
    disk.freeze()
    for _ in range(60):
        made.put(BLOCK)
    assert "takes nothing" in made.trouble
    disk.thaw()
    until(lambda: not made.trouble)
    made.close()
    assert seconds_in(disk.files / "out.wav") == 80 * 400 / RATE
    assert not list(spare.iterdir())


def test_a_recording_whose_disk_stays_frozen_goes_on_elsewhere_and_both_parts_are_whole(
    disk: TrialDisk, spare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "FROZEN_SECONDS", 0.5)
    made, said = begun(disk)
    disk.freeze()
    for _ in range(60):
        made.put(BLOCK)
    until(lambda: made._leave_frozen() or (spare / f"out.wav{PART_SUFFIX}").exists())
    until(lambda: not made.trouble)
    made.close()
    disk.thaw()
    until((disk.files / "out.wav").exists)
    assert seconds_in(disk.files / "out.wav", spare / "out.wav") >= 80 * 400 / RATE
    assert "the recording goes on elsewhere" in said[0]


def test_a_recording_whose_disk_is_full_goes_on_elsewhere_and_says_what_is_kept(disk: TrialDisk, spare: Path) -> None:
    made, said = begun(disk)
    disk.fill()
    for _ in range(60):
        made.put(BLOCK)
    made.close()
    assert seconds_in(disk.files / "out.wav", spare / "out.wav") == 80 * 400 / RATE
    assert "the disk is full" in said[0]


def test_a_take_whose_disk_is_frozen_is_named_until_it_thaws_and_a_full_one_until_there_is_room(
    disk: TrialDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_recorder, "SAVE_SECONDS", 0.05)
    monkeypatch.setattr(take_recorder, "_LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(take_recorder, "_SLOW_SECONDS", 0.3)
    pool, wrong = Pool(), [""]
    hit = level_hit(pool.use(KIT.pads)[0][0])
    recorder = TakeRecorder(disk.folder / "take.mid", RATE, True)
    with TakeSaver(recorder, lambda: RATE, wrong.append, wrong.append) as saver:
        recorder.stroke(0, KIT.pads[0], 100, hit, (1.0, 1.0))
        until((disk.files / "take.mid").exists)
        disk.freeze()
        recorder.stroke(10, KIT.pads[0], 100, hit, (1.0, 1.0))
        until(lambda: "takes nothing" in saver.trouble)
        disk.thaw()
        until(lambda: not saver.trouble)
        disk.fill()
        recorder.stroke(20, KIT.pads[0], 100, hit, (1.0, 1.0))
        until(lambda: "the disk is full" in wrong[-1])
        disk.empty()
        until(lambda: not wrong[-1])
    take = read_take(disk.files / "take.mid")
    assert take is not None
    assert [event.frame for event in take.events] == [0, 10, 20]

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ghostnote.bridge.io.atomic_file import write_bytes
from ghostnote.bridge.io.partial_files import partial_folder, partial_path, remove_stale

WRITE = """
import sys, time
from pathlib import Path
from ghostnote.bridge.io.partial_files import partial_folder
from ghostnote.bridge.io.atomic_file import replacing
folder = Path(sys.argv[1])
with replacing(folder / "take.wav") as file, partial_folder(folder):
    file.write(b"half a take")
    file.flush()
    print("begun", flush=True)
    time.sleep(60)
"""


def unfinished(folder: Path) -> list[Path]:
    """Return what is unfinished, made to look a minute old."""
    parts = sorted(folder.glob(".ghostnote-*.part"))
    for part in parts:
        os.utime(part, (part.stat().st_atime - 60, part.stat().st_mtime - 60))
    return parts


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_what_a_killed_process_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    parts = unfinished(tmp_path)
    assert [part.is_dir() for part in parts].count(True) == 1
    remove_stale(tmp_path)
    assert unfinished(tmp_path) == parts
    process.kill()
    process.wait()
    process.stdout.close()
    assert unfinished(tmp_path) == parts
    remove_stale.cache_clear()
    write_bytes(tmp_path / "take.wav", b"a whole take")
    assert [path.name for path in tmp_path.iterdir()] == ["take.wav"]


def test_only_what_is_unfinished_goes(tmp_path: Path) -> None:
    part = partial_path(tmp_path)
    for name in ("kick.part", ".ghostnote-journal", part.name):
        (tmp_path / name).write_text("x")
    remove_stale(tmp_path)
    assert part.exists()  # Perhaps another process has just opened it.
    unfinished(tmp_path)
    remove_stale.cache_clear()
    remove_stale(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".ghostnote-journal", "kick.part"]


def test_a_partial_folder_is_gone_after_an_error(tmp_path: Path) -> None:
    def failing() -> None:
        with partial_folder(tmp_path) as folder:
            (folder / "sample.wav").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert not list(tmp_path.iterdir())

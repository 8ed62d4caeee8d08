import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from batch_fakes import FAKES, RATE, Halting, batch, hit, tree, write_pack
from live_fakes import until

from ghostnote.bridge.batch.journal import JOURNAL, LOCK, manifest_rows
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.io.audio_file import read_audio, write_audio


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return write_pack(tmp_path)


def test_a_second_run_must_say_that_it_goes_on(pack: Path, tmp_path: Path) -> None:
    batch(pack, tmp_path / "out")
    before = tree(tmp_path / "out")
    with pytest.raises(InputError, match="--resume"):
        batch(pack, tmp_path / "out")
    report = batch(pack, tmp_path / "out", resume=True)
    assert (report.reused, report.files) == (4, 0)
    assert tree(tmp_path / "out") == before


def test_resume_makes_again_what_is_damaged_missing_or_of_a_new_source(pack: Path, tmp_path: Path) -> None:
    batch(pack, tmp_path / "out")
    before = tree(tmp_path / "out")
    (tmp_path / "out" / "kick" / "kick_v1_rr1.wav").write_bytes(b"damaged")
    (tmp_path / "out" / "kick 2" / "kick 2_v1_rr2.wav").unlink()
    report = batch(pack, tmp_path / "out", resume=True)
    assert report.reused == 2
    assert tree(tmp_path / "out") == before
    write_audio(pack / "kick.flac", hit(seed=77), RATE)
    assert batch(pack, tmp_path / "out", resume=True).reused == 3


def test_resume_under_other_settings_is_refused(pack: Path, tmp_path: Path) -> None:
    batch(pack, tmp_path / "out")
    with pytest.raises(InputError, match="other settings"):
        batch(pack, tmp_path / "out", resume=True, amount=0.5)


def test_resuming_with_other_sources_keeps_the_rows_of_the_first(pack: Path, tmp_path: Path) -> None:
    batch(pack, tmp_path / "out")
    (tmp_path / "more").mkdir()
    write_audio(tmp_path / "more" / "tom.wav", hit(), RATE)
    report = batch(tmp_path / "more", tmp_path / "out", resume=True)
    rows = dict(manifest_rows(report.manifest))
    assert list(rows) == ["tom", "kick", "kick 2", "Trommeln ü/Snare 1", "Trommeln ü/日本/hat"]
    assert sum(map(len, rows.values())) == 5 * 4
    (tmp_path / "out" / "kick" / "kick_v1_rr1.wav").unlink()
    assert "kick" not in dict(manifest_rows(batch(tmp_path / "more", tmp_path / "out", resume=True).manifest))


HOLD = """
import sys
from pathlib import Path
from ghostnote.bridge.batch.journal import BatchLog
with BatchLog(Path(sys.argv[1]), "key", resume=False):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no file locks")
def test_a_second_run_into_a_folder_names_the_process_that_holds_it(pack: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        for resume in (False, True):
            with pytest.raises(InputError, match=f"process {process.pid} .*at work"):
                batch(pack, tmp_path / "out", resume=resume)
        process.kill()
        process.wait()
    assert batch(pack, tmp_path / "out", resume=True).sources == 4
    assert not (tmp_path / "out" / LOCK).exists()


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from batch_fakes import batch
if __name__ == "__main__":
    batch(Path({pack!r}), Path({out!r}), jobs={jobs}, resume={resume}, halting=True, count=4)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_resumes_to_the_bytes_of_an_unbroken_one(pack: Path, tmp_path: Path, jobs: int) -> None:
    for number in range(12):
        write_audio(pack / f"tom {number}.wav", hit(0.05, seed=number), RATE)
    out, names = tmp_path / "out", {"tests": FAKES, "pack": str(pack)}
    script = tmp_path / "run.py"
    script.write_text(RUN.format(out=str(out), resume=False, jobs=jobs, **names))
    process = subprocess.Popen([sys.executable, str(script)])

    def is_half_way() -> bool:
        """Return whether each process has two files and halts in the third, and the first is noted as done."""
        journal = out / JOURNAL
        return (
            len(list(out.rglob("*.wav"))) == jobs * (Halting.most - Halting.most % 8)
            and journal.is_file()
            and journal.read_bytes().count(b"\n") > 0
        )

    until(is_half_way, 120)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "manifest.csv").exists()
    for path in out.rglob("*.wav"):
        read_audio(path)  # Whole, or not there.
    report = batch(pack, out, resume=True, jobs=jobs, count=4)
    assert 0 < report.reused < 16
    batch(pack, tmp_path / "unbroken", count=4)
    assert tree(out) == tree(tmp_path / "unbroken")

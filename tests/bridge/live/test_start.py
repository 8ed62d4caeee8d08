"""What makes a start quick: one worker before the others, and no second look at the main module."""

import subprocess
import sys
from pathlib import Path

from live_fakes import KIT, RATE, FakeSpec, until

from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.live.pool_filler import PoolFiller

PROGRAM = """
import multiprocessing, sys
from ghostnote.bridge.render.workers import main_left_out

print("main runs", flush=True)

if __name__ == "__main__":
    before = __file__
    with main_left_out():
        process = multiprocessing.get_context("spawn").Process(target=print, args=("works",))
        process.start()
    process.join()
    assert __file__ == before
    assert process.exitcode == 0
"""


def test_the_other_workers_start_once_every_pad_can_play() -> None:
    pool = Pool()
    pool.use(KIT.pads)
    with PoolFiller(pool, FakeSpec(), RATE, 3) as filler:
        until(lambda: pool.ready, 30)
        until(lambda: len(filler.process_ids) == 3, 30)
        assert filler.restarts == 0


def test_a_process_starts_without_the_main_module(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split("\n")[:2] == ["main runs", "works"]

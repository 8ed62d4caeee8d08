import platform
import subprocess
import sys

import pytest

PLAYED = """
import numpy as np
from pathlib import Path
from ghostnote.bridge.live.malloc import large_blocks_apart

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * {page} / 2**20

large_blocks_apart()
before, notes = resident_mb(), []
for _ in range(3):
    strokes = []
    for _ in range(400):
        strokes.append(np.ones(36_000, np.float32))
        notes.append(bytes(2_000))
    most = resident_mb()
    strokes.clear()
print(most - before, resident_mb() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other heaps")
def test_strokes_that_were_played_leave_no_memory_behind() -> None:
    import resource

    script = PLAYED.format(page=resource.getpagesize())
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    most, left = map(float, ended.stdout.split())
    assert most > 400 * 36_000 * 4 / 2**20
    assert left < most / 4

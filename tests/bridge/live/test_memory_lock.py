import gc
import sys
from pathlib import Path

import pytest

from ghostnote.bridge.live.memory_lock import memory_locked


def locked_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmLck"))


def test_what_is_there_is_left_alone_for_the_length_of_the_block() -> None:
    with memory_locked():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps pages so")
def test_pages_are_kept_where_that_is_granted_and_let_go_in_the_end() -> None:
    before = locked_kb()
    with memory_locked() as is_kept:
        assert (locked_kb() > before) == is_kept
    assert locked_kb() == before

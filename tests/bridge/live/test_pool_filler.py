import os
import signal
import time
from dataclasses import dataclass, replace
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_fakes import KIT, RATE, FakeSpec, Noise, best, until

from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.kit.hits import PadHit
from ghostnote.bridge.live import pool_filler
from ghostnote.bridge.live.failing_pads import FailingPads
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.live.pool_filler import PoolFiller
from ghostnote.bridge.live.pool_process import PoolProcess


def pool() -> Pool:
    made = Pool()
    made.use(KIT.pads)
    return made


def test_workers_fill_the_pool_with_what_the_source_makes_and_come_again_when_killed() -> None:
    made = pool()
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: made.ready)
        found = made.queues[1].take(104)
        assert found
        hit, _ = found
        np.testing.assert_array_equal(hit.audio, Noise().stroke(hit.pad, hit.index, hit.velocity))
        assert hit.bytes_held == hit.audio.nbytes
        (before,) = filler.process_ids
        os.kill(before, signal.SIGKILL)
        until(lambda: filler.restarts == 1)
        for queue in made.queues:
            for _ in range(30):
                queue.take(104)
        count = filler.made
        until(lambda: filler.made > count + 20)
        assert filler.process_ids != (before,)


def test_workers_end_within_a_second() -> None:
    def ending() -> float:
        made = pool()
        with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
            until(lambda: made.ready)
            (worker,) = filler.process_ids
            began = time.monotonic()
        seconds = time.monotonic() - began
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
        return seconds

    assert best(1.0, ending) <= 1.0


def test_a_stroke_with_the_same_on_both_sides_takes_half_the_memory() -> None:
    made = Pool()
    made.use([replace(KIT.pads[0], name="mono")])
    with PoolFiller(made, FakeSpec(), RATE, 1):
        until(lambda: made.ready)
        found = made.queues[0].take(104)
    assert found
    hit, _ = found
    np.testing.assert_array_equal(hit.audio, Noise().stroke(hit.pad, hit.index, hit.velocity))
    assert hit.bytes_held == hit.audio.nbytes // 2


def test_a_pad_that_cannot_be_made_is_named_once_and_the_others_play() -> None:
    made = Pool()
    made.use([replace(KIT.pads[0], name="broken"), *KIT.pads[1:]])
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: made.ready and filler.made > 20 and filler.failing.warnings)
        assert filler.failing.warnings == ["pad 'broken' cannot be played: kick.wav: is not a sound file"]
        assert made.queues[1].depth


def test_a_model_that_does_not_open_is_reported() -> None:
    with PoolFiller(pool(), FakeSpec("damaged"), RATE, 1) as filler:
        until(lambda: filler.failure is not None)
        assert isinstance(filler.failure, ModelError)


def test_a_pad_that_kills_workers_is_set_aside_and_named_and_the_others_play() -> None:
    made = Pool()
    made.use([replace(KIT.pads[0], name="dies"), *KIT.pads[1:]])
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: made.queues[0].failed and made.ready, 60)
        assert filler.failing.warnings == ["pad 'dies' cannot be played: its strokes end the process that makes them"]
        until(lambda: all(queue.depth >= len(queue.fresh) for queue in made.queues[1:]))
        restarts = filler.restarts
        assert 2 <= restarts <= 3


def test_a_hit_that_was_missing_and_is_back_is_used_again(tmp_path: Path) -> None:
    made = Pool()
    made.use([replace(KIT.pads[0], hit=tmp_path / "kick.wav"), *KIT.pads[1:]])
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: made.queues[0].failed)
        assert not made.queues[0].depth
        (tmp_path / "kick.wav").write_bytes(b"RIFF")
        until(lambda: made.queues[0].depth)
        until(lambda: len(filler.failing.warnings) == 2)
        assert "'Kick' cannot be played: kick.wav" in filler.failing.warnings[0]
        assert filler.failing.warnings[1] == "pad 'Kick' is played again"


def test_a_pad_of_many_hits_is_tried_again_when_one_of_them_is_back(tmp_path: Path) -> None:
    made = Pool()
    hits = (PadHit(tmp_path / "a.wav"), PadHit(tmp_path / "b.wav"))
    ((queue,),) = made.use([replace(KIT.pads[0], hits=hits)])
    failing = FailingPads(made)
    failing.add(queue.request(0), "a.wav is gone")
    failing.try_again(time.monotonic())
    assert queue.failed
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    failing.try_again(time.monotonic())
    assert not queue.failed


def test_an_error_of_the_system_ends_no_refill_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pool()
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: made.ready)
        with monkeypatch.context() as patch:
            patch.setattr(filler, "_send_requests", failing)
            until(lambda: "too many open files" in filler.trouble)
        until(lambda: not filler.trouble)
        count = filler.made
        for _ in range(10):
            made.queues[0].take(104)
        until(lambda: filler.made > count)


def test_a_worker_that_had_nothing_to_do_for_long_is_not_taken_for_stuck() -> None:
    made = pool()
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: made.ready)
        until(lambda: not any(list(queue.wants(False)) for queue in made.queues))
        until(lambda: not filler._workers[0].requests)
        filler._workers[0].last_reply -= 100
        count = filler.made
        made.queues[0].take(104)
        until(lambda: filler.made > count)
        assert filler.restarts == 0


def test_a_worker_that_stands_still_is_named_and_replaced() -> None:
    made = pool()
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: made.ready and not filler._workers[0].requests)
        os.kill(filler.process_ids[0], signal.SIGSTOP)
        made.queues[0].take(104)
        until(lambda: filler._workers[0].requests)
        filler._workers[0].last_reply -= 15
        until(lambda: filler.trouble == "worker 0 does not answer")
        filler._workers[0].last_reply -= 20
        until(lambda: filler.restarts == 1)
        until(lambda: not filler.trouble)


def test_a_worker_that_starts_is_not_named_at_once() -> None:
    filler = PoolFiller(pool(), FakeSpec(), RATE, 1)
    stand_in: Any = object()
    worker = PoolProcess(0, stand_in, line=stand_in, started=time.monotonic() - 20)
    filler._workers.append(worker)
    assert filler.trouble == ""
    worker.started -= 20
    assert filler.trouble == "worker 0 does not answer"


def failing() -> None:
    raise OSError(24, "too many open files")


def test_shared_memory_is_freed_where_the_system_has_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SharedMemory] = []

    def shared(create: bool, size: int) -> SharedMemory:
        if made:
            raise OSError(24, "too many open files")
        made.append(SharedMemory(create=create, size=size))
        return made[0]

    monkeypatch.setattr(pool_filler, "SharedMemory", shared)
    with pytest.raises(OSError, match="too many"), PoolFiller(pool(), FakeSpec(), RATE, 2):
        pass
    with pytest.raises(FileNotFoundError):
        SharedMemory(made[0].name)


def test_a_worker_starts_again_where_its_shared_memory_was_removed() -> None:
    made = pool()
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: made.ready)
        filler._workers[0].memory.unlink()
        os.kill(filler.process_ids[0], signal.SIGKILL)
        until(lambda: "ended" in filler.trouble)
        until(lambda: filler.restarts >= 1 and not filler.trouble)
        count = filler.made
        for _ in range(10):
            made.queues[0].take(104)
        until(lambda: filler.made > count)
        # The end unlinks it once more.
        filler._workers[0].memory.unlink()


def test_a_model_that_is_damaged_after_the_start_is_named_and_tried_again(tmp_path: Path) -> None:
    made = pool()
    with PoolFiller(made, FileSpec(tmp_path / "damaged"), RATE, 1) as filler:
        until(lambda: made.ready)
        (tmp_path / "damaged").touch()
        os.kill(filler.process_ids[0], signal.SIGKILL)
        until(lambda: "not a model" in filler.trouble)
        assert filler.failure is None
        (tmp_path / "damaged").unlink()
        until(lambda: not filler.trouble)


def test_a_worker_that_never_opens_is_replaced(tmp_path: Path) -> None:
    made = pool()
    (tmp_path / "hangs").touch()
    with PoolFiller(made, FileSpec(tmp_path / "hangs"), RATE, 1) as filler:
        until(lambda: (tmp_path / "begun").exists())
        (tmp_path / "hangs").unlink()
        filler._workers[0].started -= 1000
        until(lambda: made.ready)
        assert filler.restarts == 1


@dataclass(frozen=True)
class FileSpec:
    """Cannot be opened while a file is there, or hangs, as its name says."""

    path: Path

    def open(self) -> Noise:
        if self.path.name == "hangs" and self.path.exists():
            self.path.with_name("begun").touch()
            time.sleep(600)
        return FakeSpec("damaged" if self.path.exists() else "").open()


@pytest.mark.parametrize("processes", [2])
def test_two_workers_share_the_pads(processes: int) -> None:
    made = pool()
    with PoolFiller(made, FakeSpec(), RATE, processes) as filler:
        until(lambda: all(queue.depth for queue in made.queues))
        until(lambda: len(filler.process_ids) == processes)

        def served() -> set[int]:
            for queue in made.queues:
                queue.take(104)
            return {process for queue in made.queues for process in tuple(queue.opened_by)}

        until(lambda: served() == set(range(processes)))
        until(lambda: all(queue.depth for queue in made.queues))

import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
from live_fakes import KIT, RATE, FakeSpec, Noise, best, until

from ghostnote.bridge.errors import ModelError
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.live.pool_filler import PoolFiller


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
        until(lambda: made.ready and filler.made > 20 and filler.warnings)
        assert filler.warnings == ["pad 'broken' cannot be played: kick.wav: is not a sound file"]
        assert made.queues[1].depth


def test_a_model_that_does_not_open_is_reported() -> None:
    with PoolFiller(pool(), FakeSpec("damaged"), RATE, 1) as filler:
        until(lambda: filler.failure is not None)
        assert isinstance(filler.failure, ModelError)


def test_a_pad_that_kills_every_worker_does_not_go_on_for_ever() -> None:
    made = Pool()
    made.use([replace(KIT.pads[0], name="dies")])
    with PoolFiller(made, FakeSpec(), RATE, 1) as filler:
        until(lambda: filler.restarts >= 2, 60)
        assert filler.made == 0


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

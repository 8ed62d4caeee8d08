from dataclasses import dataclass

import numpy as np
from live_fakes import KIT, RATE, Noise, until

from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.live.pool_filler import PoolFiller
from ghostnote.bridge.render.workers import Audio


class Broken(Noise):
    """Noise, but for the kick, which holds a value that is not a number."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        audio = super().stroke(pad, index, velocity)
        if pad.drum_class == "kick":
            audio[0, 7] = np.nan
        return audio


@dataclass(frozen=True)
class BrokenSpec:
    def open(self) -> Broken:
        return Broken()


def test_a_stroke_that_is_not_finite_never_reaches_the_mix_and_is_reported() -> None:
    pool = Pool()
    pool.use(KIT.pads)
    with PoolFiller(pool, BrokenSpec(), RATE, 1) as filler:
        until(lambda: pool.ready, 30)
    kick, *others = pool.queues
    assert kick.depth == 0
    assert "not numbers" in kick.failed
    assert any("'Kick' cannot be played" in warning for warning in filler.failing.warnings)
    assert all(queue.depth or queue.fallback for queue in others)

from dataclasses import dataclass

import numpy as np
from live_fakes import KIT, RATE, Noise, until

from ghostnote.bridge.kit.kit import Pad
from ghostnote.bridge.live.pool import Pool
from ghostnote.bridge.live.pool_filler import Refill
from ghostnote.bridge.render.workers import Audio


class Broken(Noise):
    """Noise, but for the kick, which holds a value that is no number."""

    def stroke(self, pad: Pad, index: int, velocity: int) -> Audio:
        audio = super().stroke(pad, index, velocity)
        if pad.drum_class == "kick":
            audio[0, 7] = np.nan
        return audio


@dataclass(frozen=True)
class BrokenSpec:
    def open(self) -> Broken:
        return Broken()


def test_a_stroke_that_is_no_sound_never_reaches_the_mix_and_is_told() -> None:
    pool = Pool()
    pool.use(KIT.pads)
    with Refill(pool, BrokenSpec(), RATE, 1) as refill:
        until(lambda: pool.ready, 30)
    kick, *others = pool.shelves
    assert kick.depth == 0
    assert "no numbers" in kick.failed
    assert any("'Kick' cannot be played" in warning for warning in refill.warnings)
    assert all(shelf.depth or shelf.spare for shelf in others)

"""What plainer methods make: what figures and the evaluation compare the tools with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import fitted
from ghostnote.bridge.tools.damage import Damage

Audio = NDArray[np.float32]


def crossfades(a: Audio, b: Audio, count: int, curve: float = 1.0) -> list[Audio]:
    """Return `count` mixes from one hit (channels, frames) to another, beside the steps of `morph`."""
    frames = max(a.shape[1], b.shape[1])
    first, last = fitted(a, frames), fitted(b, frames)
    return [np.float32(1 - share) * first + np.float32(share) * last for share in np.linspace(0, 1, count) ** curve]


def crossfaded(a: Audio, b: Audio, rate: int, start: float, seconds: float) -> Audio:
    """Return one hit (channels, frames) faded over into another, from `start` on for so many seconds."""
    frames = max(a.shape[1], b.shape[1])
    progress = np.clip((np.arange(frames) / rate - start) / seconds, 0, 1).astype(np.float32)
    return (1 - progress) * fitted(a, frames) + progress * fitted(b, frames)


def interpolated(hit: Audio, damage: Sequence[Sequence[Damage]]) -> Audio:
    """Return a hit (channels, frames) with straight lines where it is broken, each channel's own."""
    mended = hit.copy()
    for channel, parts in zip(mended, damage, strict=True):
        whole = np.ones(len(channel), bool)
        for part in parts:
            whole[part.start : part.end] = False
        if whole.any() and not whole.all():
            channel[~whole] = np.interp(np.flatnonzero(~whole), np.flatnonzero(whole), channel[whole])
    return mended

"""Tweak: sliders with the names that producers use, and the rest of the drum stays."""

from dataclasses import asdict

from numpy.typing import ArrayLike

from ghostnote.bridge.dsp.descriptors import DESCRIPTORS, measure
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.parts import Audio, parts_of
from ghostnote.bridge.dsp.sliders import MOST, Sliders
from ghostnote.bridge.dsp.tweak import tweaked
from ghostnote.bridge.io.arguments import check, check_seed
from ghostnote.bridge.tools.arguments import checked
from ghostnote.bridge.tools.mask import Mask, kept


def tweak(hit: ArrayLike, rate: int, sliders: Sliders, *, mask: Mask | None = None, seed: int = 1) -> Audio:
    """Return a hit (channels, frames) at `rate` Hz with some of its qualities changed, as loud in its first 0.1 s.

    Each slider moves its own descriptor by a fixed step; filters for the others hold theirs where they are. What the
    `mask` says is kept to the sample. It gets longer where it decays longer; `seed` decides the noise of what is added.
    With all sliders at 0 the hit itself is returned. `InputError` for a slider beyond its range.
    """
    audio = checked(hit, rate)
    check_seed(seed)
    for name, value in asdict(sliders).items():
        check(name, value, -MOST, MOST)
    changed = tweaked(audio, rate, sliders, seed)
    return changed if mask is None or changed is audio else kept(audio, changed, rate, mask)


def describe(hit: ArrayLike, rate: int) -> dict[str, float]:
    """Return the descriptors of a hit (channels, frames) at `rate` Hz, by the names of the sliders."""
    audio = checked(hit, rate)
    values = measure(*parts_of(audio, rate), rate, onset_frame(audio)).values
    return dict(zip(DESCRIPTORS, values.tolist(), strict=True))

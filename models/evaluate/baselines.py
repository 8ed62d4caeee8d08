"""The DSP baseline: what a producer does without round robins, and what every variation must beat."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ghostnote.models.data.augment import resample
from ghostnote.models.dsp.mdct import RATE


@dataclass(frozen=True)
class BaselineSettings:
    """The largest change to either side; all smaller ones are equally likely."""

    cents: float = 20.0
    """Pitch, with the length."""
    gain_db: float = 1.0
    """Level."""
    shelf_db: float = 1.0
    """Gain of a high shelf."""
    shelf_hz: float = 2000.0
    """Where the shelf has half its gain, in dB."""


def dsp_baseline(x: Tensor, generator: torch.Generator, settings: BaselineSettings = BaselineSettings()) -> Tensor:
    """Return each hit of `x` (hits, HIT_FRAMES) a little detuned, louder or softer, brighter or duller."""

    def uniform() -> Tensor:
        return torch.rand(len(x), 1, 1, generator=generator, device=x.device) * 2 - 1

    bins = x.shape[1] // 2
    hz = torch.arange(bins, device=x.device) * (RATE / x.shape[1])
    shelf = hz.square() / (hz.square() + settings.shelf_hz**2)
    gain_db = settings.gain_db * uniform() + settings.shelf_db * uniform() * shelf
    ratio = 2 ** (settings.cents * uniform() / 1200)
    return resample(x[:, None], ratio, 10 ** (gain_db / 20))[:, 0]

"""Strokes of hits at any rate and with any number of channels; what the model does not cover is the hit's own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import fitted, resample
from ghostnote.bridge.dsp.onset import LEAD_LEVEL, onset_frame
from ghostnote.bridge.inference.variation import StrokeKey, Variation

BEFORE_SECONDS: Final = 0.002
"""How much of what precedes the onset belongs to the hit."""
MOST_WIDENED: Final = 2
"""Files of more channels keep their image: each pair of them would get an image of its own."""

Audio = NDArray[np.float32]
Strokes = Callable[[Sequence[StrokeKey]], Iterator[Audio]]
"""Yields the stroke of each key, (channels, frames) of the hit's own shape."""


class HitVariator(Protocol):
    """Makes next strokes of hits at one sample rate."""

    rate: int
    """The rate of the hits that it takes and gives, in Hz."""
    name: str
    """What made the strokes, for the record."""

    def strokes(self, hit: Audio, drum_class: str, variation: Variation) -> Strokes:
        """Return what makes strokes of a hit (1 or 2, frames), struck at velocity 127.

        They have its length and channels; but two channels where a width above 0 widens mono.
        """


class HitVariatorSpec(Protocol):
    """What a worker process needs to open a `HitVariator`; it must be picklable."""

    def open(self) -> HitVariator:
        """Open it in this process."""


def stroke_maker(audio: Audio, rate: int, drum_class: str, variation: Variation, variator: HitVariator) -> Strokes:
    """Return what makes strokes of a hit (channels, frames) at its own rate, channels and length.

    Channels are varied in pairs by the same noise, so that all microphones record one stroke. The silence before
    the hit and the sound above the model's band are kept.
    """
    lead = lead_frames(audio, rate)
    body = audio[:, lead:]
    pairs = [body[first : first + 2] for first in range(0, len(body), 2)]
    lows = [resample(pair, rate, variator.rate) for pair in pairs]
    highs = [
        pair - fitted(resample(low, variator.rate, rate), pair.shape[1]) if rate > variator.rate else None
        for pair, low in zip(pairs, lows, strict=True)
    ]
    if len(audio) > MOST_WIDENED:
        variation = replace(variation, width=0.0)
    makers = [variator.strokes(low, drum_class, variation) for low in lows]

    def strokes(keys: Sequence[StrokeKey]) -> Iterator[Audio]:
        for parts in zip(*(make(keys) for make in makers), strict=True):
            varied = []
            for pair, low, high, part in zip(pairs, lows, highs, parts, strict=True):
                full = fitted(resample(part, variator.rate, rate), pair.shape[1])
                varied.append(full if high is None else full + high * _level_ratio(part, low))
            yield joined(audio, lead, np.concatenate(varied), rate)

    return strokes


def _level_ratio(stroke: Audio, hit: Audio) -> np.float32:
    return np.float32(np.sqrt(np.square(stroke).mean() / max(float(np.square(hit).mean()), 1e-20)))


def lead_frames(audio: Audio, rate: int) -> int:
    """Return how many frames of silence stand before a hit `(channels, frames)`, less a short run-up."""
    return max(0, onset_frame(audio, LEAD_LEVEL) - round(BEFORE_SECONDS * rate))


def joined(original: Audio, lead: int, varied: Audio, rate: int) -> Audio:
    """Return the original's first `lead` frames and then the varied hit, without a step between them.

    A mono original may have become two channels.
    """
    if not lead:
        return varied
    original = np.broadcast_to(original, (len(varied), original.shape[1]))
    seam = min(varied.shape[1], round(BEFORE_SECONDS / 2 * rate))
    rise = np.linspace(0, 1, seam, dtype=np.float32)
    start = original[:, lead : lead + seam] * (1 - rise) + varied[:, :seam] * rise
    return np.concatenate((original[:, :lead], start, varied[:, seam:]), axis=1)

"""Strokes of whole hits: any rate, any number of channels, and all that is not the model's kept as it was."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.batch.settings import BatchSettings
from ghostnote.bridge.dsp.onset import LEAD_LEVEL, onset_frame
from ghostnote.bridge.inference.variation import Strike
from ghostnote.bridge.io.audio_file import resample

BEFORE_SECONDS: Final = 0.002
"""How much of what precedes the onset belongs to the hit."""
MOST_WIDENED: Final = 2
"""Files of more channels keep their image: wider than its microphones would be two images in one file."""

Audio = NDArray[np.float32]
Strokes = Callable[[Sequence[Strike]], Iterator[Audio]]
"""Yields the stroke of each strike, (channels, frames) of the hit's own shape."""


class Varier(Protocol):
    """Makes next strokes of hits."""

    rate: int
    """The rate of the hits that it takes and gives, in Hz."""
    name: str
    """What made the strokes, for the record."""

    def strokes(self, hit: Audio, drum_class: str, seed: int, sound: BatchSettings) -> Strokes:
        """Return what makes strokes of a hit (1 or 2, frames), struck at velocity 127.

        They are as long, and have its channels; but two of them where a width above 0 widens mono.
        """


class VarierSpec(Protocol):
    """What a worker process needs to open a varier; it must be picklable."""

    def open(self) -> Varier:
        """Open the varier."""


def stroke_maker(
    audio: Audio, rate: int, drum_class: str, seed: int, settings: BatchSettings, varier: Varier
) -> Strokes:
    """Return what makes strokes of a file at its own rate, channels and length.

    Channels are varied in pairs by the same draw, so that all microphones hear one stroke. What the model
    does not own is the file's: the silence before the hit and the sound above the model's band.
    """
    lead = lead_frames(audio, rate)
    body = audio[:, lead:]
    pairs = [body[first : first + 2] for first in range(0, len(body), 2)]
    heard = [resample(pair, rate, varier.rate) for pair in pairs]
    above = [
        pair - _fitted(resample(low, varier.rate, rate), pair.shape[1]) if rate > varier.rate else None
        for pair, low in zip(pairs, heard, strict=True)
    ]
    sound = settings if len(audio) <= MOST_WIDENED else replace(settings, width=0.0)
    makers = [varier.strokes(low, drum_class, seed, sound) for low in heard]

    def strokes(strikes: Sequence[Strike]) -> Iterator[Audio]:
        for made in zip(*(make(strikes) for make in makers), strict=True):
            varied = []
            for pair, low, high, part in zip(pairs, heard, above, made, strict=True):
                full = _fitted(resample(part, varier.rate, rate), pair.shape[1])
                varied.append(full if high is None else full + high * _level_ratio(part, low))
            yield joined(audio, lead, np.concatenate(varied), rate)

    return strokes


def _level_ratio(made: Audio, heard: Audio) -> np.float32:
    return np.float32(np.sqrt(np.square(made).mean() / max(float(np.square(heard).mean()), 1e-20)))


def _fitted(audio: Audio, frames: int) -> Audio:
    """Return the first `frames` frames, with silence after what is there."""
    missing = frames - audio.shape[1]
    return np.pad(audio, ((0, 0), (0, missing))) if missing > 0 else audio[:, :frames]


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

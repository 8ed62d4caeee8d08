"""A wide hit: two variations of it as left and right, whose sum is as loud as the hit at every frequency.

Left and right are a middle plus and minus a side. The middle is the hit itself, or the mean of two strokes; the side is
what the two strokes differ by, freed of what it shares with the middle, and as loud in each band as the width asks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ghostnote.bridge.drums import label_of
from ghostnote.bridge.dsp.band_gains import Bands
from ghostnote.bridge.dsp.conversion import fitted, resample
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.partials import split
from ghostnote.bridge.errors import InputError
from ghostnote.bridge.inference.model import Generator
from ghostnote.bridge.inference.variation import Reference, StrokeKey, Variation, Variator
from ghostnote.bridge.kinds import find_class
from ghostnote.bridge.tools.arguments import MOST_CHANNELS, check, check_variation, checked

Audio = NDArray[np.float32]
Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

_WAVES_PER_OCTAVE: Final = 3
_MOST_BOOST: Final = 10 ** (18 / 20)
_MOST_MOVED: Final = 10 ** (6 / 20)
_RISE_SECONDS: Final = 0.001
_FALL_SECONDS: Final = 0.01
_LIMIT_SECONDS: Final = 0.002
_ROUNDS: Final = 4
_LEAST_POWER: Final = 1e-9
"""A band this far below the loudest (-90 dB) gets no side."""


@dataclass(frozen=True)
class Width:
    """How wide a hit becomes."""

    width: float = 0.7
    """0 leaves the hit as it is; above `mono_below` left and right have a correlation of 1 - width."""
    mono_below: float = 120.0
    """Hz below which left and right are the same; an octave above, they are as wide as the rest."""
    exact_mono: bool = False
    """Whether the mean of left and right is the hit itself, sample by sample, instead of a variation of it."""


def widen(
    hit: ArrayLike,
    rate: int,
    drum_class: str,
    width: Width | None = None,
    *,
    generator: Generator | None = None,
    seed: int = 1,
    steps: int | None = None,
) -> Audio:
    """Return a hit (1 or 2, frames) of a class as two channels (2, frames) at its rate, by an opened model.

    The mean of both is as loud as that of the hit's channels. What a stereo hit has of width it keeps, but below
    `mono_below`; at a width of 0 all stays. Without a `generator`, the shipped model is opened. `InputError` for more
    than two channels, or a number out of its range.
    """
    audio, width = checked(hit, rate, MOST_CHANNELS), width or Width()
    label = label_of(find_class(drum_class))
    variation = Variation(seed=seed, steps=steps)
    check_variation(variation)
    check("width", width.width, 0, 1)
    check("mono_below", width.mono_below, 20, rate / 4)
    if not width.width:
        return np.stack([audio[0], audio[-1]])
    middle: Audio = np.asarray(audio.mean(axis=0), np.float32)
    side = (audio[0] - audio[-1]) / np.float32(2)
    if not middle.any():
        raise InputError("the hit is silent in mono, so that there is no middle to widen: invert one of its channels")
    generator = generator or Generator.open()
    card, onset = generator.card, onset_frame(middle[None])
    mono = resample(middle[None], rate, card.rate)
    strokes = [*Variator(generator).next_strokes(Reference(mono, label), [StrokeKey(0), StrokeKey(1)], variation)]
    if not width.exact_mono:
        mean = resample((strokes[0] + strokes[1]) / np.float32(2), card.rate, rate)
        middle = _as_loud_as(fitted(mean[0], len(middle)), middle, rate)
    apart = fitted(resample(_apart(mono, strokes, card.rate), card.rate, rate)[0], len(middle))
    added = _side(middle, side, apart, rate, width, onset)
    added[-round(_FALL_SECONDS * rate) :] *= _fall(min(round(_FALL_SECONDS * rate), len(added)))
    added = _within_full_scale(middle, added, max(1.0, float(np.abs(audio).max())), rate)
    return np.stack([middle + added, middle - added])


def _fall(frames: int) -> Audio:
    """Return how what is added falls silent with the hit, (frames,), as its filters ring on."""
    return np.cos(np.linspace(0, np.pi / 2, frames, dtype=np.float32)) ** 2


def _apart(mono: Audio, strokes: list[Audio], rate: int) -> Audio:
    """Return what two strokes (1, frames) of a hit differ by, (1, frames).

    The partials of both ring at the same frequencies, and what they differ by may be in phase with the hit. So the
    hit's own are added, their phases turned by a right angle, to and fro along the spectrum.
    """
    partials = split(mono)[0]
    bands = Bands(mono.shape[1], rate)
    octaves = np.log2(np.maximum(bands.hz, 1))
    turned = bands.inverse(bands.transform(partials) * 1j * np.sin(2 * np.pi * _WAVES_PER_OCTAVE * octaves))
    return np.asarray((strokes[0] - strokes[1]) / 2 + turned, np.float32)


def _as_loud_as(stroke: Audio, middle: Audio, rate: int) -> Audio:
    """Return a stroke (frames,) that is as loud as `middle` (frames,) in each band, and as a whole."""
    bands = Bands(len(middle), rate)
    of_stroke, of_middle = bands.transform(stroke), bands.transform(middle)
    gains = np.sqrt(bands.power(of_middle) / bands.power(of_stroke))
    loud: Audio = bands.inverse(of_stroke * bands.curve(np.clip(gains, 1 / _MOST_MOVED, _MOST_MOVED)))
    loud = _begun(loud, onset_frame(middle[None]), rate)
    return loud * np.float32(np.sqrt(np.square(middle).sum() / max(float(np.square(loud).sum()), _LEAST_POWER)))


def _side(middle: Audio, side: Audio, apart: Audio, rate: int, width: Width, onset: int) -> Audio:
    """Return the side (frames,) that with `middle` has the correlation asked for in each band.

    The `side` that is there already stays, where it is not more than that.
    """
    bands = Bands(len(middle), rate)
    of_middle, of_apart = bands.transform(middle), bands.transform(apart)
    opened = np.clip(np.log2(np.maximum(bands.hz, 1) / width.mono_below), 0, 1)
    opened = np.sin(opened * np.pi / 2) ** 2
    of_side = bands.transform(side)
    power = bands.power(of_middle)
    wanted = power * width.width / (2 - width.width)
    wanted[power < _LEAST_POWER * power.max()] = 0
    missing = np.maximum(wanted - bands.power(of_side), 0)
    of_apart -= of_middle * bands.curve(bands.cross_power(of_apart, of_middle) / power)
    gains = np.sqrt(missing / np.maximum(bands.power(of_apart), _LEAST_POWER * power))
    added = bands.inverse(of_apart * bands.curve(np.minimum(gains, _MOST_BOOST)))
    of_added = bands.transform(_begun(added, onset, rate)) * opened
    # What the side shares in phase with the middle would make one channel the louder one.
    for _ in range(_ROUNDS):
        of_added -= of_middle * opened * bands.curve(bands.cross_power(of_added, of_middle) / power)
    return bands.inverse(of_side * opened) + _begun(bands.inverse(of_added), onset, rate)


def _begun(audio: Audio, onset: int, rate: int) -> Audio:
    """Return a sound (frames,) that is silent before `onset`, as its filters see ahead."""
    rise = round(_RISE_SECONDS * rate)
    begun = audio.copy()
    first = max(0, onset - rise)
    begun[:first] = 0
    begun[first:onset] *= np.sin(np.linspace(0, np.pi / 2, onset - first, dtype=np.float32)) ** 2
    return begun


def _within_full_scale(middle: Audio, side: Audio, most: float, rate: int) -> Audio:
    """Return a side (frames,) that is turned down where a channel would be louder than `most`.

    The mean of both channels stays what it is.
    """
    room = np.maximum(most - np.abs(middle), 0) / np.maximum(np.abs(side), 1e-9)
    if room.min() >= 1:
        return side
    reach = max(1, round(_LIMIT_SECONDS * rate))
    padded = np.pad(np.minimum(room, 1), reach, mode="edge")
    least = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1)
    kernel = np.hanning(reach + 2)[1:-1]
    smooth = np.convolve(np.pad(least, reach, mode="edge"), kernel / kernel.sum(), "same")[reach:-reach]
    return (side * np.minimum(smooth, np.minimum(room, 1))).astype(np.float32)

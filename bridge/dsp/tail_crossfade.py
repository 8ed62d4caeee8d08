"""The tail of a hit that is longer than the model: the original's, matched and crossfaded on without a seam."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
Spectra = NDArray[np.complex64]
"""Of each channel the windows, of each window the bins."""

_UNRELIABLE_FRAMES: Final = 64
"""The model's last frames fade by themselves and are not used."""
_BEGIN_SHARE: Final = 0.25
"""The crossfade begins after this share of the stroke. The model plays the partials of a cymbal as noise; where the
original's set in within a moment, that is heard as a seam, however level the joint is."""
_MATCH_FRAMES: Final = 12_288
"""So many of the stroke's last frames say how the tail shall sound."""
_MATCH_BANDS: Final = 24
_MOST_LIFTED_DB: Final = 6.0
_STRONG_DB, _WEAK_DB = -20.0, -40.0
"""A band that is so far below the strongest may be lifted by all that, or no more than all bands together: of a weak
one, as a room's rumble, the stroke has hardly more than the model's own noise, and the tail must not grow with that."""
_MOST_LOWERED_DB: Final = 12.0
_LOWEST_HZ_SHARE: Final = 1 / 512
_FFT_GRAIN: Final = 16_384
"""Transforms are a multiple of this long, which is quick."""

_TURNS_AN_OCTAVE: Final = 3
_WIDEST: Final = 2.4048
"""Radians: the first zero of J0, where the two sides have nothing in common."""

_HOP_FRAMES: Final = 2048
"""Windows are two hops long, 93 ms at the model's rate: long enough to part the partials."""
_WINDOW: Final = np.sin(np.pi * (np.arange(2 * _HOP_FRAMES) + 0.5) / (2 * _HOP_FRAMES)).astype(np.float32)
_FALL_POWER: Final = 1.5
"""How the stroke falls, as a power of a cosine: so its noise between the partials goes evenly, in dB."""
_BINS_AROUND: Final = 8
_WINDOWS_AROUND: Final = 1
"""How many neighbours on either side tell how alike stroke and tail are at a place."""
_LEAST_APART: Final = -0.7
"""Where the two extinguish each other by more than this share of their power, that is left so."""
_QUIET: Final = 1e-12


def attach_tail(varied: Audio, original: Audio, *, widened: bool = False) -> Audio:
    """Return `varied` (channels, frames) going over into the rest of the longer `original` (channels, more).

    The tail gets the spectrum and level that the stroke has before its end, so that a softer stroke rings on
    softer. The crossfade keeps the level at each frequency, however alike the two are there. The two sides of a
    `widened` stroke are as little alike in the tail as in the stroke; otherwise the tail has the original's image.
    """
    end = varied.shape[1] - _UNRELIABLE_FRAMES
    tail = _matched(original, varied[:, :end], widened=widened)
    return np.concatenate([_crossfaded(varied[:, :end], tail[:, :end]), tail[:, end:]], axis=1)


def _matched(tail: Audio, stroke: Audio, *, widened: bool) -> Audio:
    """Return `tail` filtered so that it has the spectrum of `stroke` where that ends, band by band."""
    end = stroke.shape[1]
    frames = min(_MATCH_FRAMES, end)
    window = np.hanning(frames)
    ends = [x[:, end - frames : end] * window for x in (stroke, tail)]
    powers = [(np.abs(np.fft.rfft(x)) ** 2).sum(axis=0) for x in ends]
    bins = len(powers[0])
    edges = np.unique(np.geomspace(bins * _LOWEST_HZ_SHARE, bins, _MATCH_BANDS + 1).astype(int))
    starts = np.concatenate([[0], edges[:-1]])
    wanted, present = (np.add.reduceat(power, starts) + _QUIET for power in powers)
    all_db = 10 * np.log10(wanted.sum() / present.sum())
    strength = np.interp(10 * np.log10(present / present.max()), (_WEAK_DB, _STRONG_DB), (0, 1))
    apart_db = (10 * np.log10(wanted / present) - all_db).clip(max=strength * _MOST_LIFTED_DB)
    gain_db = (all_db + apart_db).clip(-_MOST_LOWERED_DB, _MOST_LIFTED_DB)
    centres = (starts + np.append(starts[1:], bins)) / 2 / bins
    # Longer than the tail, so that the filter's ringing does not wrap around.
    size = -(-(tail.shape[1] + frames) // _FFT_GRAIN) * _FFT_GRAIN
    curve_db = np.interp(np.linspace(0, 1, size // 2 + 1), centres, gain_db)
    curve = (10 ** (curve_db / 20)).astype(np.float32)
    spectra = np.fft.rfft(tail, size) * curve
    if widened:
        spectra = _parted(spectra, *map(_likeness, ends))
    filtered = np.fft.irfft(spectra, size)[:, : tail.shape[1]]
    return filtered.astype(np.float32)


def _likeness(pair: NDArray[Any]) -> float:
    """Return the correlation of two sides, which have no constant part."""
    left, right = pair
    return float((left * right).sum() / (np.sqrt(np.square(pair).sum(axis=1).prod()) + _QUIET))


def _parted(spectra: NDArray[Any], wanted: float, present: float) -> NDArray[Any]:
    """Return the spectra (2, bins) of two sides whose likeness goes from `present` down to `wanted`.

    The sides are turned apart in phase, by turns to and fro along the spectrum: each keeps its level everywhere.
    """
    octaves = np.log2(np.maximum(np.arange(spectra.shape[1]), 1))
    wave = np.sin(2 * np.pi * _TURNS_AN_OCTAVE * octaves)
    angles = np.linspace(0, _WIDEST, 64)
    # Over whole waves this is the Bessel function J0.
    alike = np.cos(angles[:, None] * np.sin(np.linspace(0, 2 * np.pi, 64, endpoint=False))).mean(axis=1)
    angle = np.interp(-wanted / max(present, _QUIET), -alike, angles)
    turn = np.exp(0.5j * angle * wave)
    parted: NDArray[Any] = spectra * np.stack([turn, turn.conj()])
    return parted


def _crossfaded(stroke: Audio, tail: Audio) -> Audio:
    """Return what begins as `stroke` and ends as `tail`, (channels, frames) all three."""
    frames = stroke.shape[1]
    begin, finish = _BEGIN_SHARE * frames, frames - _HOP_FRAMES
    ours, theirs = _spectra(stroke), _spectra(tail)
    centres = np.arange(ours.shape[1]) * _HOP_FRAMES
    progress = np.clip((centres - begin) / (finish - begin), 0, 1)[:, None]
    fall = (np.cos(progress * np.pi / 2) ** _FALL_POWER).astype(np.float32)
    rise = np.sqrt(1 - fall**2)
    # The power of a sum is that of its parts and twice what they share: by that the level would bulge or dip.
    apart = fall**2 * _around(_power(ours, ours)) + rise**2 * _around(_power(theirs, theirs))
    shared = 2 * fall * rise * _around(_power(ours, theirs))
    level = np.sqrt(1 + (shared / (apart + _QUIET)).clip(min=_LEAST_APART))
    return _sound((fall * ours + rise * theirs) / level)[:, :frames]


def _spectra(audio: Audio) -> Spectra:
    """Return the spectra of windows half over each other, the first and the last centred on the ends or beyond."""
    hops = -(-audio.shape[1] // _HOP_FRAMES)
    padded = np.pad(audio, ((0, 0), (_HOP_FRAMES, (hops + 1) * _HOP_FRAMES - audio.shape[1])))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOP_FRAMES, axis=1)[:, ::_HOP_FRAMES]
    return np.fft.rfft(windows * _WINDOW).astype(np.complex64)


def _sound(spectra: Spectra) -> Audio:
    """Return the sound (channels, frames) of `_spectra`, from the first window's centre to the last one's."""
    windows = np.fft.irfft(spectra) * _WINDOW
    early, late = np.split(windows, 2, axis=2)
    joined = late[:, :-1] + early[:, 1:]
    return joined.reshape(len(joined), -1).astype(np.float32)


def _power(ours: Spectra, theirs: Spectra) -> Audio:
    """Return how much power two sounds share, (windows, bins), over all channels."""
    return np.asarray((ours * theirs.conj()).real.sum(axis=0), np.float32)


def _around(power: Audio) -> Audio:
    """Return the mean of each place's surroundings."""
    return _running(_running(power.T, _WINDOWS_AROUND).T, _BINS_AROUND)


def _running(power: Audio, reach: int) -> Audio:
    """Return the mean of `reach` places on either side and the place itself, along the last axis."""
    padded = np.pad(power, ((0, 0), (reach + 1, reach)), mode="edge")
    # In double precision: a running sum from loud to quiet would lose the quiet in its rounding.
    total = padded.cumsum(axis=1, dtype=np.float64)
    span = 2 * reach + 1
    return np.asarray((total[:, span:] - total[:, :-span]) / span, np.float32)

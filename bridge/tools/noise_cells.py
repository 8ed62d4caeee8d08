"""The residual's envelope over time and frequency: two of them interpolated in decibels, and noise brought to it."""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import RATE

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

HOP: Final = 256
"""Frames between two windows, of twice as many; the first is centred on the first frame."""
_BANDS: Final = 32
_HZ: Final = (60.0, 18_000.0)
_RANGE_DB: Final = 80.0
_MOST_DB: Final = 40.0
_GROWTH: Final = 6
"""A level is averaged over more time the later it is: over one window more on either side for each so many."""
_TINY: Final = 1e-16


def windows_of(frames: int) -> int:
    """Return how many windows cover so many frames."""
    return -(-frames // HOP) + 1


def interpolated_noise(a: Audio, b: Audio, share: Array) -> Audio:
    """Return noise between two residuals (channels, frames) from their onset, by the `share` of `b` (windows,).

    Its envelope lies between theirs in decibels. Both make it, each filtered to that envelope, with as much power of
    each as its share: at 0 and 1 it is `a` or `b` itself.
    """
    frames = a.shape[1]
    spectra = [_stft(side) for side in (a, b)]
    levels = [_level_db(each) for each in spectra]
    loudest = max(float(level.max()) for level in levels)
    levels = [np.maximum(level, loudest - _RANGE_DB) for level in levels]
    wanted = (1 - share)[:, None] * levels[0] + share[:, None] * levels[1]
    mixed = np.zeros_like(spectra[0])
    for each, level, part in zip(spectra, levels, (1 - share, share), strict=True):
        gain = 10 ** (np.clip(wanted - level, -_RANGE_DB, _MOST_DB) / 20) @ _interpolation()
        mixed += each * (gain * np.sqrt(part)[:, None])
    return _istft(mixed, frames)


def _level_db(spectra: NDArray[np.complex128]) -> Array:
    """Return the level (windows, bands) in dB of spectra (channels, windows, bins), all channels together."""
    power = np.square(np.abs(spectra)).sum(axis=0) @ _bank().T
    count = len(power)
    reach = np.arange(count) // _GROWTH
    total = np.pad(power, ((1, 0), (0, 0))).cumsum(axis=0)
    first, last = np.maximum(np.arange(count) - reach, 0), np.minimum(np.arange(count) + reach + 1, count)
    return np.asarray(10 * np.log10((total[last] - total[first]) / (last - first)[:, None] + _TINY))


def _centres_hz() -> Array:
    return np.asarray(np.geomspace(*_HZ, _BANDS))


@cache
def _interpolation() -> Array:
    """Return how much of each band's gain each bin gets, (bands, bins): linear over the logarithm of the frequency."""
    octaves = np.log2(np.maximum(np.fft.rfftfreq(2 * HOP, 1 / RATE), 1))
    return np.asarray(np.stack([np.interp(octaves, np.log2(_centres_hz()), row) for row in np.eye(_BANDS)]))


@cache
def _bank() -> Array:
    """Return the weights with which bins make up each band, (bands, bins): their own, or the nearest bin."""
    weights = _interpolation()
    nearest = np.abs(np.fft.rfftfreq(2 * HOP, 1 / RATE) - _centres_hz()[:, None]).argmin(axis=1)
    lonely = weights.sum(axis=1) < 1
    bank = weights.copy()
    bank[lonely] = np.eye(weights.shape[1])[nearest[lonely]]
    return np.asarray(bank / bank.sum(axis=1, keepdims=True))


@cache
def _window() -> Array:
    return np.asarray(np.sin((np.arange(2 * HOP) + 0.5) * (np.pi / (2 * HOP))))


def _stft(audio: Audio) -> NDArray[np.complex128]:
    """Return spectra (channels, windows, bins)."""
    count = windows_of(audio.shape[1])
    padded = np.pad(audio, ((0, 0), (HOP, (count + 1) * HOP - HOP - audio.shape[1])))
    views: NDArray[Any] = np.lib.stride_tricks.sliding_window_view(padded, 2 * HOP, axis=1)[:, ::HOP]
    return np.fft.rfft(views * _window())


def _istft(spectra: NDArray[np.complex128], frames: int) -> Audio:
    """Return the audio (channels, frames) of `_stft`."""
    parts = np.fft.irfft(spectra, 2 * HOP) * _window()
    joined = parts[:, :-1, HOP:] + parts[:, 1:, :HOP]
    return joined.reshape(len(parts), -1)[:, :frames].astype(np.float32)

"""Partials parted into lines: the spectrum between two of its valleys is one.

Where the main tone falls far, as a kick's does, the parts that it passes are one line.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import RATE, fast_size

Audio = NDArray[np.float32]
Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

STEP: Final = 16
"""Frames between two values of a line."""
TRACK_RATE: Final = RATE / STEP

_MOST_LINES: Final = 20
_AUDIBLE: Final = 10 ** (-50 / 10)
_APART_HZ: Final = 24.0
LEAST_HZ: Final = 20.0
_MOST_HZ: Final = 16_000.0
_REACH_HZ: Final = 1_000.0
"""How far a line's part of the spectrum reaches to either side at most."""
_SOFT: Final = 0.3
"""The share of a part's side over which it fades into the next one."""
_GLIDE_END_HZ, _GLIDE_TOP_HZ = 300.0, 1_000.0
"""A tone that falls to below the first frequency is followed up to the second."""
_GLIDE_LEAST: Final = 10 ** (-25 / 10)
_TINY: Final = 1e-12


@dataclass(frozen=True, eq=False)
class PartedLines:
    """The lines of a hit, and what belongs to none."""

    base: Complex
    """(channels, lines, values): the analytic signal of each, turned down by its frequency."""
    hz: Array
    """(lines,): where it is strongest."""
    left: Audio
    """(channels, frames)."""


def parted_lines(partials: Audio, frames: int) -> PartedLines | None:
    """Return the lines of partials (channels, fewer) over `frames`; None where nothing rings."""
    size = -(-fast_size(frames + RATE // 4) // (2 * STEP)) * 2 * STEP
    spectra = np.fft.rfft(partials, size)
    power = np.square(np.abs(spectra)).sum(axis=0)
    peaks = _peaks(power, size)
    if not len(peaks):
        return None
    shares = _shares(power, peaks, size)
    values = -(-frames // STEP) + 1
    base = _lines(spectra, shares, peaks, values)
    first, last = _glide(base, peaks * RATE / size)
    if last > first:
        begins = np.delete(np.arange(len(peaks)), slice(first + 1, last + 1))
        shares, peaks = np.add.reduceat(shares, begins, axis=0), peaks[begins]
        base = _lines(spectra, shares, peaks, values)
    left = np.fft.irfft(spectra * (1 - shares.sum(axis=0)), size)[:, :frames].astype(np.float32)
    return PartedLines(base.transpose(1, 0, 2), peaks * RATE / size, left)


def _peaks(power: Array, size: int) -> NDArray[np.int64]:
    """Return the bins of the highest peaks, in order."""
    reach = max(2, round(_APART_HZ * size / RATE / 2))
    smooth = np.convolve(power, np.hanning(2 * (reach // 2) + 3)[1:-1], "same")
    views = np.lib.stride_tricks.sliding_window_view(np.pad(smooth, reach), 2 * reach + 1)
    found = np.flatnonzero((smooth >= views.max(axis=1)) & (smooth > _AUDIBLE * smooth.max()) & (smooth > _TINY**2))
    low, high = (round(hz * size / RATE) for hz in (LEAST_HZ, _MOST_HZ))
    found = found[(found >= low) & (found <= high)]
    return np.sort(found[np.argsort(smooth[found])[-_MOST_LINES:]])


def _shares(power: Array, peaks: NDArray[np.int64], size: int) -> Array:
    """Return how much of each bin belongs to each line, (lines, bins)."""
    bins, reach = np.arange(len(power)), round(_REACH_HZ * size / RATE)
    valleys = [a + int(power[a : b + 1].argmin()) for a, b in itertools.pairwise(peaks)]
    lows = np.maximum([0, *valleys], peaks - reach)
    highs = np.minimum([*valleys, len(power) - 1], peaks + reach)
    shares = np.ones((len(peaks), len(power)))
    for share, peak, low, high in zip(shares, peaks, lows, highs, strict=True):
        share *= _edge(bins - low, _SOFT * (peak - low)) if low > 0 else 1
        share *= _edge(high - bins, _SOFT * (high - peak))
    # Where two fade into each other they add up to one.
    total = shares.sum(axis=0)
    return np.asarray(shares / np.maximum(total, 1))


def _edge(inside: NDArray[Any], soft: float) -> Array:
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((inside / max(soft, 1) + 1) / 2, 0, 1)))


def _baseband(spectra: Complex, share: Array, peak: int) -> Complex:
    """Return one line's analytic signal (channels, values), turned down to 0 Hz and thinned out."""
    many = 2 * (spectra.shape[1] - 1) // STEP
    first, last = max(peak - many // 2 + 1, 0), min(peak + many // 2, spectra.shape[1])
    moved = np.zeros((len(spectra), many), np.complex128)
    moved[:, (np.arange(first, last) - peak) % many] = spectra[:, first:last] * share[first:last]
    return np.asarray(np.fft.ifft(moved) * (2 / STEP))


def _lines(spectra: Complex, shares: Array, peaks: NDArray[np.int64], values: int) -> Complex:
    """Return the analytic signals of all lines, (lines, channels, values)."""
    return np.stack([_baseband(spectra, share, peak)[:, :values] for share, peak in zip(shares, peaks, strict=True)])


def _glide(base: Complex, hz: Array) -> tuple[int, int]:
    """Return the first and the last of the lines (lines, channels, values) through which the main tone falls.

    A falling tone is in one line after the other, the lower the later. What begins together only seems later in a
    narrower line, by the inverse of its width at most.
    """
    power = np.square(np.abs(base)).sum(axis=1)
    loudest, peak = power.max(axis=1), power.argmax(axis=1)
    first = last = int(power.sum(axis=1).argmax())
    loud = loudest > _GLIDE_LEAST * loudest[first]

    def falls(low: int, high: int) -> bool:
        return bool(peak[low] - peak[high] > TRACK_RATE / min(hz[high] - hz[low], hz[low]))

    if hz[first] > _GLIDE_END_HZ:
        return first, last
    while first and loud[first - 1] and falls(first - 1, last):
        first -= 1
    for higher in range(last + 1, int(np.searchsorted(hz, _GLIDE_TOP_HZ))):
        if not loud[higher] or peak[higher] > peak[last] or not falls(first, higher):
            break
        last = higher
    return first, last

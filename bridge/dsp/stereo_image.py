"""The stereo image of a hit: the correlation of left and right, and their balance."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import RATE

Audio = NDArray[np.float32]

_QUIET = 1e-12
_WAVES_PER_OCTAVE = 3
_MONO_HZ = 150.0
"""Below this the sides are alike; an octave above they are as far apart as the angle says."""


def match_image(varied: Audio, original: Audio, width: float = 0.0) -> Audio:
    """Return two channels with the stereo image of `original` and the loudness of `varied`.

    `width` 0 keeps the correlation of left and right, 1 removes it. Of all mixtures of left and right with that
    image this one changes least: the optimal transport between two Gaussians (Olkin & Pukelsheim 1982).
    """
    target, current = (_covariance(pair) for pair in (original, varied))
    target *= np.trace(current) / np.trace(target)
    target[[0, 1], [1, 0]] *= 1 - width
    return _with_covariance(varied, current, target)


def balance_sides(varied: Audio) -> Audio:
    """Return two channels of equal level with the same correlation."""
    current = _covariance(varied)
    level, correlation = np.trace(current) / 2, current[0, 1] / np.sqrt(current[0, 0] * current[1, 1])
    return _with_covariance(varied, current, level * np.array([[1, correlation], [correlation, 1]]))


def band_correlation(head: Audio, bands: int) -> Audio:
    """Return the correlation (bands,) of left and right in even bands from 0 Hz to half the rate."""
    left, right = np.fft.rfft(head)[:, 1:].reshape(2, bands, -1)
    cross = (left * right.conj()).real.sum(axis=1)
    power = np.sqrt((np.abs(left) ** 2).sum(axis=1) * (np.abs(right) ** 2).sum(axis=1))
    return np.asarray(cross / (power + _QUIET), np.float32).clip(-1, 1)


def correlated_sides(pair: Audio, correlation: Audio | np.float32) -> Audio:
    """Return two independent normal arrays (2, …) mixed to the given correlation."""
    mid, side = pair
    mid, side = np.sqrt((1 + correlation) / 2) * mid, np.sqrt((1 - correlation) / 2) * side
    return np.stack([mid + side, mid - side]).astype(np.float32, copy=False)


def turned_apart(size: int, angle: float) -> NDArray[np.complex64]:
    """Return what turns the phases of two sides apart, (2, bins of a transform of `size`), by up to `angle` in radians.

    To and fro along the spectrum: each side keeps its level everywhere. Below `_MONO_HZ` the sides are alike, as turned
    phases there would ring on for longer than the hit.
    """
    phase = np.float32(angle / 2) * _waves(size)
    turn = np.empty((2, len(phase)), np.complex64)
    turn.real = np.cos(phase)
    np.sin(phase, out=turn.imag[0])
    np.negative(turn.imag[0], out=turn.imag[1])
    return turn


@lru_cache(maxsize=16)
def _waves(size: int) -> Audio:
    octaves = np.log2(np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1) / _MONO_HZ)
    return np.asarray(np.clip(octaves, 0, 1) * np.sin(2 * np.pi * _WAVES_PER_OCTAVE * octaves), np.float32)


def _covariance(pair: Audio) -> NDArray[np.float64]:
    # In double precision: of two sides that are nearly the same it must not become indefinite.
    left, right = pair - pair.mean(axis=1, keepdims=True, dtype=np.float64)
    both = float((left * right).sum())
    products = np.array([[float(np.square(left).sum()), both], [both, float(np.square(right).sum())]])
    matrix: NDArray[np.float64] = products / pair.shape[1] + _QUIET * np.eye(2)
    return matrix


def _with_covariance(varied: Audio, current: NDArray[np.float64], target: NDArray[np.float64]) -> Audio:
    """Return two channels of covariance `current` mixed to the covariance `target`."""
    root = _matrix_root(current)
    inverse = np.linalg.inv(root)
    left, right = varied
    mixture = (inverse @ _matrix_root(root @ target @ root) @ inverse).tolist()
    return np.stack([np.float32(a) * left + np.float32(b) * right for a, b in mixture])


def _matrix_root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the symmetric square root of a positive definite matrix (2, 2), by Cayley and Hamilton's theorem."""
    (a, b), (_, d) = matrix.tolist()
    root = math.sqrt(max(a * d - b * b, 0.0))
    return np.array([[a + root, b], [b, d + root]]) / math.sqrt(a + d + 2 * root)

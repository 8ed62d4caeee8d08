"""The stereo image of a hit: how alike its two sides are, and how loud beside each other."""

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

_QUIET = 1e-12


def with_image(varied: Audio, original: Audio, width: float = 0.0) -> Audio:
    """Return two channels with the image of the original's two, and their own loudness.

    `width` 0 keeps the correlation of left and right, 1 takes it away. Of all mixtures of left and right that have the
    image it is the one that changes least: the optimal transport between two Gaussians (Olkin & Pukelsheim 1982).
    """
    wanted, present = (_covariance(pair) for pair in (original, varied))
    wanted *= np.trace(present) / np.trace(wanted)
    wanted[[0, 1], [1, 0]] *= 1 - width
    return _mixed(varied, present, wanted)


def balanced(varied: Audio) -> Audio:
    """Return two channels of one level, as alike as they were."""
    present = _covariance(varied)
    level, alike = np.trace(present) / 2, present[0, 1] / np.sqrt(present[0, 0] * present[1, 1])
    return _mixed(varied, present, level * np.array([[1, alike], [alike, 1]]))


def band_correlation(head: Audio, bands: int) -> Audio:
    """Return the correlation (bands,) of left and right in even bands from 0 Hz to half the rate."""
    left, right = np.fft.rfft(head)[:, 1:].reshape(2, bands, -1)
    cross = (left * right.conj()).real.sum(axis=1)
    power = np.sqrt((np.abs(left) ** 2).sum(axis=1) * (np.abs(right) ** 2).sum(axis=1))
    return np.asarray(cross / (power + _QUIET), np.float32).clip(-1, 1)


def independent_sides(pair: Audio, alike: Audio | np.float32) -> Audio:
    """Return two independent normal arrays (2, …) mixed so that their correlation is `alike`."""
    middle, side = pair
    shared, parted = np.sqrt((1 + alike) / 2) * middle, np.sqrt((1 - alike) / 2) * side
    return np.stack([shared + parted, shared - parted]).astype(np.float32)


def _covariance(pair: Audio) -> NDArray[np.float64]:
    return np.cov(pair, bias=True) + _QUIET * np.eye(2)


def _mixed(varied: Audio, present: NDArray[np.float64], wanted: NDArray[np.float64]) -> Audio:
    root = _root(present)
    back = np.linalg.inv(root)
    mixture = back @ _root(root @ wanted @ root) @ back
    return (mixture @ varied).astype(np.float32)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the symmetric square root of a positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root: NDArray[np.float64] = vectors * np.sqrt(values.clip(0)) @ vectors.T
    return root

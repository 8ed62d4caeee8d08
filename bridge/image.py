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

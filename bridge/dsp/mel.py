"""The mel scale, and bands that are equally wide on it (O'Shaughnessy 1987)."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_LEAST_WEIGHT: Final = 0.5


def to_mel(hz: ArrayLike) -> Floats:
    """Return frequencies in Hz, of any shape, in mel."""
    return np.asarray(2595 * np.log10(1 + np.asarray(hz, np.float64) / 700))


def to_hz(mel: ArrayLike) -> Floats:
    """Return the inverse of `to_mel`."""
    return np.asarray(700 * (10 ** (np.asarray(mel, np.float64) / 2595) - 1))


def band_points(low_hz: float, high_hz: float, bands: int) -> Floats:
    """Return the edges and centres of bands that overlap by half, (bands + 2,) in mel."""
    low, high = to_mel((low_hz, high_hz)).tolist()
    return np.linspace(low, high, bands + 2)


def triangles(places: Floats, points: Floats) -> Floats:
    """Return the weight that each band of `points` (bands + 2,) gives to each place on their scale, (bands, places)."""
    rising = (places - points[:-2, None]) / np.diff(points)[:-1, None]
    falling = (points[2:, None] - places) / np.diff(points)[1:, None]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))


def mel_filters(hz: ArrayLike, points_hz: Floats) -> Floats:
    """Return triangular filters with these edges and centres (bands + 2,) at the bins' frequencies, (bands, bins).

    One that is narrower than a bin takes the nearest bin.
    """
    places = np.asarray(hz, np.float64)
    bank = triangles(places, points_hz)
    nearest = np.abs(places - points_hz[1:-1, None]).argmin(axis=1)
    narrow = np.flatnonzero(bank.sum(axis=1) < _LEAST_WEIGHT)
    bank[narrow, nearest[narrow]] = 1
    return bank

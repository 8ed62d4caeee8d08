"""What a shape says of a hit: how loud its bands are and how they fall, as plain numbers.

A shape's envelope is the log RMS of companded coefficients of an MDCT, in groups of bands; here it is turned into
power, and groups are joined to wider bands.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATE: Final = 44_100
HOP_FRAMES: Final = 256
"""Frames of a hit for each frame of a shape."""
MDCT_BANDS: Final = 64
BAND_EDGES: Final = (0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 28, 35, 44, 54, 64)
"""Edges of the groups of MDCT bands, finer at the bottom."""
EXPONENTS: Final = ((2, 1.0), (6, 0.75), (MDCT_BANDS, 0.5))
"""Companding exponents as (up to this band, exponent)."""
GROUPS: Final = len(BAND_EDGES) - 1
WIDE_BANDS: Final = (0, 1, 2, 4, 6, 8, 10, 12, 14, 16)
"""Edges of the wider bands, in groups."""
BANDS: Final = len(WIDE_BANDS) - 1
BAND_HZ: Final = tuple(BAND_EDGES[i] * RATE / 2 / MDCT_BANDS for i in WIDE_BANDS)
"""Edges of the wider bands in Hz, (BANDS + 1,)."""
T60_SECONDS: Final = (0.02, 12.0)
"""Range of decay times."""

_BAND_OF_GROUP: Final = np.repeat(np.arange(BANDS), np.diff(WIDE_BANDS))
_WIDTHS: Final = np.diff(BAND_EDGES).astype(float)
_PLACES: Final = np.interp(
    np.arange(GROUPS) + 0.5, (np.array(WIDE_BANDS[1:]) + np.array(WIDE_BANDS[:-1])) / 2, np.arange(BANDS)
)
"""Of the groups' middles between the bands' middles."""
_FALL_DB: Final = 35.0
_FLOOR_DB: Final = -75.0
_LEAST_FRAMES: Final = 4
_SILENT: Final = 1e-18
_NOTHING: Final = 1e-30
_GATED_DB: Final = 66.0
_GATED_T60: Final = 0.8
_SLOPE_FRAMES: Final = 24
_LEAST_LATE: Final = 0.2
_DECAYS: Final = np.geomspace(*T60_SECONDS, 200)


def group_exponents() -> Array:
    """Return the companding exponent of each group, (GROUPS,)."""
    ends = np.array([end for end, _ in EXPONENTS])
    return np.array([EXPONENTS[int(np.searchsorted(ends, edge, "right"))][1] for edge in BAND_EDGES[:-1]])


def group_power(log_envelope: NDArray[np.float32]) -> Array:
    """Return the power of each group, (GROUPS, frames), of a log envelope of that size, as a mean square."""
    p = group_exponents()[:, None]
    # Companded normal numbers of deviation 1 have this power.
    of_normal = np.array([2**x * math.gamma(x + 0.5) / math.sqrt(math.pi) for x in p[:, 0]])[:, None]
    power: Array = (np.exp(2 * log_envelope.astype(float)) / of_normal) ** (1 / p)
    return np.asarray(power * _WIDTHS[:, None] / MDCT_BANDS)


def audio_power(audio: NDArray[np.float32]) -> Array:
    """Return the power (GROUPS, frames) of audio (frames of a hit,): `group_power` of its envelope."""
    size = MDCT_BANDS
    place, band = np.arange(2 * size)[:, None], np.arange(size)
    basis = np.sin(np.pi / (2 * size) * (place + 0.5)) * np.cos(np.pi / size * (place + 0.5 + size / 2) * (band + 0.5))
    padded = np.pad(audio, (size, 0))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * size)[::size]
    coefficients = frames @ (basis * np.sqrt(2 / size)).astype(np.float32)
    power = np.add.reduceat(np.square(coefficients), BAND_EDGES[:-1], axis=1).T / size
    return np.asarray(power.reshape(GROUPS, -1, HOP_FRAMES // size).mean(axis=2), float)


def scaled(log_envelope: NDArray[np.float32], gain_db: Array) -> NDArray[np.float32]:
    """Return a log envelope (GROUPS, frames) with the gains (GROUPS, frames) of its power."""
    nepers = gain_db * (math.log(10) / 20)
    return (log_envelope + group_exponents()[:, None] * nepers).astype(np.float32)


def to_groups(bands: Array) -> Array:
    """Repeat values (BANDS, ...) for each of a band's groups, (GROUPS, ...)."""
    return np.asarray(bands[_BAND_OF_GROUP])


def between_bands(bands: Array) -> Array:
    """Return values (BANDS, ...) at the middles of the groups, (GROUPS, ...), on straight lines between the bands'."""
    low, share = _PLACES.astype(int).clip(0, BANDS - 2), _PLACES.reshape(-1, *[1] * (bands.ndim - 1))
    share = share - low.reshape(share.shape)
    return np.asarray(bands[low] * (1 - share) + bands[low + 1] * share)


def to_bands(power: Array) -> Array:
    """Add up the power (GROUPS, frames) of the groups of each band, (BANDS, frames)."""
    return np.asarray(np.add.reduceat(power, WIDE_BANDS[:-1], axis=0))


def describe_bands(power: Array) -> tuple[Array, Array]:
    """Return the levels (BANDS,) in dB beside the whole, and the decay times (BANDS,) in seconds, of (BANDS, frames).

    A decay time is that of the straight line through a band's level, from its peak until it is far enough below.
    """
    energy = power.sum(axis=1)
    level = 10 * np.log10(np.maximum(energy / max(energy.sum(), _SILENT), 10 ** (_FLOOR_DB / 10)))
    loudest = 10 * np.log10(power.sum(axis=0).max() + _SILENT)
    return level, np.array([_t60(row, loudest) for row in 10 * np.log10(power + _SILENT)])


def without_gate(log_envelope: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a log envelope (GROUPS, frames) that goes on decaying where it is cut off before it has died away."""
    total = 10 * np.log10(group_power(log_envelope).sum(axis=0) + _SILENT)
    sounding = np.flatnonzero(total > total.max() - _GATED_DB)
    end = int(sounding[-1]) - 1
    if end < 2 * _LEAST_FRAMES or end >= log_envelope.shape[1] - _LEAST_FRAMES:
        return log_envelope
    decibels = 10 * np.log10(np.maximum(group_power(log_envelope), _NOTHING))
    start = max(1, end - _SLOPE_FRAMES)
    slope = np.polyfit(np.arange(start, end), decibels[:, start:end].T, 1)[0]
    slope = np.minimum(slope, -60 * HOP_FRAMES / RATE / _GATED_T60)
    # From the middle of the last three frames before the end.
    later = np.arange(2, log_envelope.shape[1] - end + 2)
    wanted = decibels[:, end - 3 : end].mean(axis=1)[:, None] + slope[:, None] * later
    gain_db = np.zeros_like(decibels)
    gain_db[:, end:] = np.maximum(wanted - decibels[:, end:], 0)
    return scaled(log_envelope, gain_db)


def late_t60(power: Array, longest: Array) -> Array:
    """Return the decay times (BANDS,) of power (BANDS, frames) towards its end, at most `longest` (BANDS,)."""
    course = 10 * np.log10(power[:, power.shape[1] // 2 :] + _SILENT)
    slope = np.polyfit(np.arange(course.shape[1]), course.T, 1)[0]
    seconds = 60 / np.maximum(-slope, 1e-3) * HOP_FRAMES / RATE
    return np.asarray(np.clip(seconds, _LEAST_LATE, np.maximum(longest, _LEAST_LATE)))


def middle_t60(power: Array) -> Array:
    """Return the decay times (BANDS,) of exponentials that have the same middle in time as power (BANDS, frames)."""
    seconds = (np.arange(power.shape[1]) + 0.5) * (HOP_FRAMES / RATE)
    courses = 10 ** (-6 * seconds / _DECAYS[:, None])
    middles = (courses * seconds).sum(axis=1) / courses.sum(axis=1)
    found = (power * seconds).sum(axis=1) / np.maximum(power.sum(axis=1), _NOTHING)
    return np.asarray(np.exp(np.interp(found, middles, np.log(_DECAYS))))


def _t60(level: Array, loudest: float) -> float:
    peak = int(level.argmax())
    below = np.flatnonzero(level[peak:] < max(level[peak] - _FALL_DB, loudest + _FLOOR_DB))
    end = peak + max(int(below[0]) if below.size else len(level) - peak, 2)
    # The first milliseconds are the stroke's, not the drum's.
    start = min(peak + 2, max(peak, end - _LEAST_FRAMES))
    course = level[start:end]
    if len(course) < 2:
        return T60_SECONDS[0]
    slope = float(np.polyfit(np.arange(len(course)), course, 1)[0])
    seconds = 60 / max(-slope, 1e-3) * HOP_FRAMES / RATE
    return float(np.clip(seconds, *T60_SECONDS))

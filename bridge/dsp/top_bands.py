"""How loud the top of a drum is, band by band and moment by moment, by what lies below.

The levels of drums are jointly normal in dB, well enough: what is not known follows from what is by regression (the
conditional mean of a normal vector), whatever the cut.
"""

from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.onset import onset_frame

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

STATISTICS: Final = Path(__file__).with_name("top_bands.npz")
"""Mean (levels,) and covariance (levels, levels), as `ghostnote.models.statistics.top_bands` measures them."""
RATE: Final = 44_100
EDGES_HZ: Final = tuple(700 * 2 ** (at / 3) for at in range(16))
"""Of bands a third of an octave wide, from 700 to 22,400 Hz."""
BANDS: Final = len(EDGES_HZ) - 1
MOMENTS_SECONDS: Final = (0.0, 0.004, 0.012, 0.03, 0.07, 0.15, 0.3, 0.6)
"""Between which levels are measured after the onset."""
MOMENTS: Final = len(MOMENTS_SECONDS) - 1
WINDOW: Final = 256
HOP: Final = 64
_HANN: Final = np.hanning(WINDOW + 1)[:-1]
FLOOR_DB: Final = -80.0
"""Levels count down to this under the loudest known."""
_NOISE_DB: Final = 3.0
"""What a level's measurement itself varies by."""
_OFFSET_DB: Final = 20.0
_GUARD: Final = 0.94
"""Bands that end below this share of the cut are known."""


def spectra_of(audio: Audio) -> NDArray[np.complex128]:
    """Return the short-time spectra (windows, bins) of a sound (frames,), from one window before it."""
    padded = np.pad(audio.astype(np.float64), (WINDOW, WINDOW + -len(audio) % HOP))
    return np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * _HANN)


def sound_of(spectra: NDArray[np.complex128], frames: int) -> Array:
    """Return the sound (frames,) of spectra that `spectra_of` returned, changed or not."""
    parts = (np.fft.irfft(spectra, WINDOW) * (_HANN / 1.5)).reshape(len(spectra), WINDOW // HOP, HOP)
    joined = np.zeros((len(spectra) + WINDOW // HOP - 1, HOP))
    for at in range(WINDOW // HOP):
        joined[at : at + len(spectra)] += parts[:, at]
    return np.asarray(joined.reshape(-1)[WINDOW : WINDOW + frames])


def band_weights() -> Array:
    """Return how much each bin counts for each band, (BANDS, bins): those of a bin add up to 1 between the edges."""
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    low, high = np.array(EDGES_HZ[:-1])[:, None], np.array(EDGES_HZ[1:])[:, None]
    width = RATE / WINDOW
    # A bin is as wide as the spacing: narrow bands at the bottom have shares of it.
    shared = np.minimum(hz + width / 2, high) - np.maximum(hz - width / 2, low)
    return np.asarray(np.clip(shared / width, 0, 1))


def moment_weights(count: int, onset: int) -> Array:
    """Return how much each window counts for each moment, (MOMENTS, windows)."""
    seconds = (np.arange(count) * HOP - WINDOW / 2 - onset) / RATE
    inside = [(seconds >= low - 0.0015) & (seconds < high) for low, high in pairwise(MOMENTS_SECONDS)]
    return np.array(inside, float)


def band_levels(audio: Audio) -> Array:
    """Return the levels of a hit (frames,) in dB, (BANDS, MOMENTS): of each bin's mean power, NaN after its end."""
    power = np.square(np.abs(spectra_of(audio)))
    moments = moment_weights(len(power), onset_frame(audio[None]))
    counts = moments.sum(axis=1)
    bands = band_weights()
    mean = bands @ power.T @ moments.T / np.maximum(counts, 1) / bands.sum(axis=1, keepdims=True)
    levels = 10 * np.log10(mean + 1e-16)
    levels[:, counts == 0] = np.nan
    return np.asarray(levels)


def predicted_levels(levels: Array, cut_hz: float) -> Array:
    """Return levels (BANDS, MOMENTS) whose bands above the cut follow from those below it.

    Levels count from the loudest known one, down to `FLOOR_DB`.
    """
    with np.load(STATISTICS) as file:
        mean, covariance = file["mean"].astype(np.float64), file["covariance"].astype(np.float64)
    known_bands = np.array(EDGES_HZ[1:]) <= _GUARD * cut_hz
    top = float(np.nanmax(levels[known_bands], initial=-160.0))
    vector = np.maximum(levels - top, FLOOR_DB).reshape(-1)
    known = np.repeat(known_bands, MOMENTS) & np.isfinite(vector)
    missing = ~np.repeat(known_bands, MOMENTS)
    # Whole hits were measured from their loudest level, which may lie above the cut: the offset is unknown.
    covariance += _OFFSET_DB**2
    both = covariance[np.ix_(known, known)] + _NOISE_DB**2 * np.eye(int(known.sum()))
    gain = np.linalg.solve(both, covariance[np.ix_(known, missing)]).T
    filled = vector.copy()
    filled[missing] = mean[missing] + gain @ (vector[known] - mean[known])
    return np.asarray(np.clip(filled, FLOOR_DB, None).reshape(levels.shape) + top)

"""Gains over time and frequency, in the groups of bands of a shape."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.shape import BAND_EDGES, HOP_FRAMES, MDCT_BANDS, RATE

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

_WINDOW: Final = 2 * HOP_FRAMES
"""Frames of the windows, which overlap by half: short enough that no attack begins sooner."""


def with_band_gain(audio: Audio, gain_db: Array) -> Audio:
    """Return audio (channels, frames) with gains (GROUPS, frames of a shape) in dB.

    Between the middles of groups and of frames they are interpolated. Silence stays silent.
    """
    window = _sine()
    padded = np.pad(audio, ((0, 0), (HOP_FRAMES, HOP_FRAMES + -audio.shape[1] % HOP_FRAMES)))
    spectra = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)[:, ::HOP_FRAMES] * window)
    # A window lies around the beginning of a frame of the shape.
    edges = np.pad(gain_db, ((0, 0), (1, 1)), mode="edge")
    between = (edges[:, :-1] + edges[:, 1:]) / 2
    wanted = between[:, np.minimum(np.arange(spectra.shape[1]), between.shape[1] - 1)].T @ _shares()
    parts = (np.fft.irfft(spectra * 10 ** (wanted / 20), _WINDOW) * window).astype(np.float32)
    channels, count, _ = parts.shape
    joined = np.zeros((channels, count + 1, HOP_FRAMES), np.float32)
    joined[:, :-1] += parts[:, :, :HOP_FRAMES]
    joined[:, 1:] += parts[:, :, HOP_FRAMES:]
    return joined.reshape(channels, -1)[:, HOP_FRAMES : HOP_FRAMES + audio.shape[1]]


@cache
def _shares() -> Array:
    """Return how much of each group's gain each bin gets, (GROUPS, bins)."""
    edges = np.array(BAND_EDGES) * (RATE / 2 / MDCT_BANDS)
    hz, middles = np.fft.rfftfreq(_WINDOW, 1 / RATE), (edges[1:] + edges[:-1]) / 2
    return np.stack([np.interp(hz, middles, row) for row in np.eye(len(middles))])


@cache
def _sine() -> Audio:
    return np.asarray(np.sin((np.arange(_WINDOW) + 0.5) * (np.pi / _WINDOW)), np.float32)

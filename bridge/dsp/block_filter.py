"""Filters of some thousand taps over audio whose blocks are transformed once, for many filters."""

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
Spectra = NDArray[np.complex64]
"""(channels, blocks, bins)."""


def block_spectra(audio: Audio, frames: int, *, taps: int, block: int) -> Spectra:
    """Return the spectra of the blocks of audio (channels, more) of which `frames` are to be filtered.

    The audio begins with the frames before the first one that a filter of so many `taps` reaches. Each block overlaps
    the one before by what a filter spoils (Stockham 1966).
    """
    hop = block - taps + 1
    blocks = 1 + frames // hop
    end = (blocks - 1) * hop + block
    padded = np.pad(audio, ((0, 0), (0, max(0, end - audio.shape[1]))))[:, :end]
    windows = np.lib.stride_tricks.sliding_window_view(padded, block, axis=1)[:, ::hop]
    return np.fft.rfft(windows).astype(np.complex64)


def filter_blocks(spectra: Spectra, taps: Audio) -> Audio:
    """Return the audio (channels, at least the frames) of `block_spectra` through a filter (taps,)."""
    block = 2 * (spectra.shape[2] - 1)
    response = np.fft.rfft(taps, block).astype(np.complex64)
    blocks = np.fft.irfft(spectra * response)[:, :, len(taps) - 1 :]
    return np.asarray(blocks.reshape(len(spectra), -1), np.float32)

"""How far a critically sampled representation of a waveform aliases.

Its channels run at the rate of its frames, so that each mirrors what lies above half that rate; in the exact inverse
these images cancel. What works on the channels, as a network does, disturbs the balance. Two disturbances have a
closed form. The waveforms here are circular, and any filter bank is first brought to the orthonormal one nearest to
it, which is inverted by its transpose.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FRAMES: Final = 8
"""Frames of the waveforms that are measured."""
BAND_BINS: Final = FRAMES // 2
"""Bins of a band: there are as many bands as channels."""


def response(kernels: Array, stride: int) -> NDArray[np.complex128]:
    """Return what `kernels` (stride, length), one a channel, make of each complex wave: (stride, FRAMES, bins).

    Bin f is the wave of frequency f / (FRAMES·stride) and unit energy. The matrix of all channels and frames is made
    orthonormal by its polar factor (Löwdin 1950).
    """
    size = FRAMES * stride
    padded = np.zeros((stride, size))
    padded[:, : kernels.shape[1]] = kernels
    rows = np.stack([np.roll(padded, frame * stride, axis=1) for frame in range(FRAMES)], axis=1)
    left, _, right = np.linalg.svd(rows.reshape(size, size))
    return np.asarray(np.fft.fft((left @ right).reshape(stride, FRAMES, size), norm="ortho"))


def error_map(responses: NDArray[np.complex128]) -> Array:
    """Return where the energy of errors goes that strike each channel's gain by itself: (outputs, inputs).

    Frequencies are bins from 0 to the Nyquist frequency, and each column adds up to 1.
    """
    energy = sum(np.abs(channel.conj().T @ channel) ** 2 for channel in responses)
    return _folded(np.asarray(energy))


def equalised_map(responses: NDArray[np.complex128], gains: Array) -> Array:
    """Return where the energy of a wave goes when each channel has one of the `gains` (stride,): (outputs, inputs)."""
    whole = sum(gain * channel.conj().T @ channel for gain, channel in zip(gains, responses, strict=True))
    return _folded(np.abs(np.asarray(whole)) ** 2)


def tilt(responses: NDArray[np.complex128], range_db: float) -> Array:
    """Return gains (stride,) that fall by `range_db` from the channel of the lowest centre frequency to the highest."""
    half = responses.shape[2] // 2
    energy = (np.abs(responses[:, :, : half + 1]) ** 2).sum(axis=1)
    centre = energy @ np.arange(half + 1) / energy.sum(axis=1)
    rank = np.argsort(np.argsort(centre, kind="stable"))
    return np.asarray(10 ** (-range_db * rank / (len(rank) - 1) / 20))


def images(energy: Array, reach: int = 0) -> Array:
    """Return the share of each input's energy (inputs,) that comes out further than `reach` bins from its frequency."""
    bins = np.arange(len(energy))
    is_far = np.abs(bins[:, None] - bins) > reach
    return np.asarray((energy * is_far).sum(axis=0) / energy.sum(axis=0))


def _folded(energy: Array) -> Array:
    """Return energies (outputs, inputs) of complex waves as those of real ones: an output of −f sounds as f."""
    half = len(energy) // 2
    kept = energy[: half + 1, : half + 1].copy()
    kept[1:half] += energy[:half:-1, : half + 1]
    return kept

"""Integrated loudness after ITU-R BS.1770-4, and the peak, measured block by block."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST_SAID_DB: Final = 0.05
"""A gain that is nearer to 0 is not worth a word."""
_HOP_SECONDS: Final = 0.1
_HOPS_PER_BLOCK: Final = 4
_ABSOLUTE_GATE_LUFS: Final = -70.0
_RELATIVE_GATE_LU: Final = -10.0
_OFFSET_LUFS: Final = -0.691
_MEMORY_SECONDS: Final = 0.1
"""By then the K-weighting's impulse response has decayed by 180 dB."""


class LoudnessMeter:
    """Measures `(channels, frames)` blocks of any length; all channels weigh the same, as left and right do.

    Its memory is one chunk of sound and one number for each tenth of a second.
    """

    def __init__(self, rate: int) -> None:
        """Measure sound of `rate` Hz."""
        self._hop_frames = max(1, round(rate * _HOP_SECONDS))
        self._memory_frames = round(rate * _MEMORY_SECONDS)
        self._chunk_frames = 1 << (4 * self._memory_frames).bit_length()
        self._response = k_weighting(rate, self._chunk_frames)
        self._chunk: NDArray[np.float64] = np.zeros((0, self._chunk_frames))
        self._filled = self._memory_frames
        self._frames_summed = 0
        self._hop_energies: list[float] = []
        self._peak = 0.0

    def add(self, block: NDArray[np.float32]) -> None:
        """Measure the next `(channels, frames)`; `ValueError` if the channels differ from those before."""
        if not len(self._chunk):
            self._chunk = np.zeros((block.shape[0], self._chunk_frames))
        if block.shape[0] != len(self._chunk):
            raise ValueError(f"a block of {block.shape[0]} channels after blocks of {len(self._chunk)}")
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        at = 0
        while at < block.shape[1]:
            taken = min(block.shape[1] - at, self._chunk_frames - self._filled)
            self._chunk[:, self._filled : self._filled + taken] = block[:, at : at + taken]
            self._filled += taken
            at += taken
            if self._filled == self._chunk_frames:
                self._empty_chunk()

    @property
    def peak_dbfs(self) -> float:
        """The highest sample so far in dB of full scale; -inf for silence."""
        return float(20 * np.log10(self._peak)) if self._peak > 0.0 else -np.inf

    @property
    def integrated_lufs(self) -> float:
        """The gated loudness of all so far in LUFS; -inf for silence.

        Blocks are 400 ms, overlapping by three quarters. Sound shorter than that counts as one block.
        """
        pending = self._weighted_squares()
        energies = _summed_by_hop(self._hop_energies, pending, self._frames_summed, self._hop_frames)
        frames = self._frames_summed + len(pending)
        whole = np.asarray(energies[: frames // self._hop_frames])
        if len(whole) < _HOPS_PER_BLOCK:
            return _lufs(sum(energies) / max(frames, 1))
        powers = np.convolve(whole, np.ones(_HOPS_PER_BLOCK), "valid") / (_HOPS_PER_BLOCK * self._hop_frames)
        return _gated_lufs(powers)

    def _empty_chunk(self) -> None:
        """Sum up a full chunk and keep its end, which is still in the filter's memory."""
        squares = self._weighted_squares()
        self._hop_energies = _summed_by_hop(self._hop_energies, squares, self._frames_summed, self._hop_frames)
        self._frames_summed += len(squares)
        self._chunk[:, : self._memory_frames] = self._chunk[:, -self._memory_frames :]
        self._filled = self._memory_frames

    def _weighted_squares(self) -> NDArray[np.float64]:
        """Return the K-weighted power `(frames,)` of what the chunk holds beyond the filter's memory.

        Overlap-save: what the circular convolution spoils lies inside the memory.
        """
        self._chunk[:, self._filled :] = 0.0
        weighted = np.fft.irfft(np.fft.rfft(self._chunk) * self._response, self._chunk_frames)
        return np.asarray(np.square(weighted[:, self._memory_frames : self._filled]).sum(axis=0))


def k_weighting(rate: int, frames: int) -> NDArray[np.complex128]:
    """Return the K-weighting's response at the `frames // 2 + 1` frequencies of a real Fourier transform.

    The standard tabulates its filters for 48 kHz; these are the analogue prototypes behind them, by
    the bilinear transform (B. De Man, 2018), which give the table at 48 kHz and hold at any rate.
    """
    z = np.exp(-2j * np.pi * np.arange(frames // 2 + 1) / frames)
    high_gain = 10 ** (3.999843853973347 / 20)
    band_gain = high_gain**0.4996667741545416
    k, q = np.tan(np.pi * 1681.974450955533 / rate), 0.7071752369554196
    shelf = _biquad(z, (high_gain, band_gain / q, 1.0), (1.0, 1 / q, 1.0), k)
    k, q = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    # The table leaves the high-pass filter's numerator at (1, -2, 1) rather than scaled to unity gain.
    scale = 1 + k / q + k * k
    return np.asarray(shelf * scale * _biquad(z, (1.0, 0.0, 0.0), (1.0, 1 / q, 1.0), k))


def _biquad(
    z: NDArray[np.complex128], over: tuple[float, ...], under: tuple[float, ...], k: float
) -> NDArray[np.complex128]:
    """Return the bilinear transform of (o0 s² + o1 s + o2) / (u0 s² + u1 s + u2), k = tan(π f / rate)."""
    s = (1 - z) / k
    unit = 1 + z
    (o0, o1, o2), (u0, u1, u2) = over, under
    return np.asarray((o0 * s**2 + o1 * s * unit + o2 * unit**2) / (u0 * s**2 + u1 * s * unit + u2 * unit**2))


def _summed_by_hop(energies: list[float], squares: NDArray[np.float64], at: int, hop_frames: int) -> list[float]:
    """Return the hops' energies with the squares `(frames,)` added from frame `at` on."""
    if not len(squares):
        return energies
    first = at // hop_frames
    added = np.bincount((at + np.arange(len(squares))) // hop_frames - first, weights=squares)
    added[0] += sum(energies[first:])
    return [*energies[:first], *map(float, added)]


def _lufs(power: float) -> float:
    """Return a K-weighted power as loudness; -inf for none."""
    return float(_OFFSET_LUFS + 10 * np.log10(power)) if power > 0.0 else -np.inf


def _power(lufs: float) -> float:
    """Return the K-weighted power of a loudness."""
    return float(10 ** ((lufs - _OFFSET_LUFS) / 10))


def _gated_lufs(powers: NDArray[np.float64]) -> float:
    """Return the loudness over the blocks above both gates: -70 LUFS, then 10 LU below the mean."""
    audible = powers[powers > _power(_ABSOLUTE_GATE_LUFS)]
    if not len(audible):
        return -np.inf
    gate = _power(_lufs(float(audible.mean())) + _RELATIVE_GATE_LU)
    return _lufs(float(audible[audible > gate].mean()))

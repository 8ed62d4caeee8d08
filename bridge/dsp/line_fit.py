"""Decaying sinusoids fitted to a signal with a gap, so that they go on through it in phase."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST_LINES: Final = 10
_ROUNDS: Final = 5
_LEAST_SHARE: Final = 0.02
"""A line takes at least this share of the power that the ones before left, or the search ends."""
_MOST_TURN: Final = 0.5
"""Most cycles over the whole signal by which a frequency moves at a time."""
_MOST_NEPERS: Final = 4.0
_NEPERS: Final = (-40.0, 3.0)
_SIZE: Final = 4
_ROWS: Final = 200


def fit_lines(signal: Array, known: NDArray[np.bool_]) -> Array:
    """Return the sum (frames,) of the lines that ring through a signal (frames,), of which only a part is `known`.

    Peaks of the spectrum begin, one after another; frequencies and decays then follow the derivative of the fit, which
    is least squares over all that is known (Gauss & Newton). Nothing rings where the sum is 0.
    """
    frames = len(signal)
    time = np.linspace(-0.5, 0.5, frames)
    poles = np.zeros(0, np.complex128)
    left, best = np.where(known, signal, 0.0), np.zeros(frames)
    windows = _windows(known)
    while len(poles) < _MOST_LINES:
        power = float(left @ left)
        if power <= 0:
            break
        spectrum = np.square(np.abs(np.fft.rfft(left * windows, _SIZE * frames))).sum(axis=0)
        peak = int(spectrum.argmax())
        poles = np.append(poles, 2j * np.pi * peak / _SIZE * (frames - 1) / frames)
        for _ in range(_ROUNDS):
            poles = _refined(signal, known, time, poles)
        lines = _sum(signal, known, time, poles)
        remaining = np.where(known, signal - lines, 0.0)
        if float(remaining @ remaining) > (1 - _LEAST_SHARE) * power:
            break
        left, best = remaining, lines
    return best


def _windows(known: NDArray[np.bool_]) -> Array:
    """Return a window (parts, frames) over each part that is known: together they would mistake a gap for a beat."""
    edges = np.flatnonzero(np.diff(np.pad(known.astype(np.int8), 1)))
    windows = np.zeros((len(edges) // 2, len(known)))
    for window, start, end in zip(windows, edges[::2], edges[1::2], strict=True):
        window[start:end] = np.hanning(end - start + 2)[1:-1]
    return windows


def _columns(time: Array, poles: NDArray[np.complex128]) -> NDArray[np.complex128]:
    return np.asarray(np.exp(time[:, None] * poles))


def _refined(
    signal: Array, known: NDArray[np.bool_], time: Array, poles: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return poles moved by what time times each line, in the fit, adds to it."""
    lines = _columns(time[known], poles)
    slopes = lines * time[known][:, None]
    parts = np.concatenate([lines.real, -lines.imag, slopes.real, -slopes.imag], axis=1)
    fitted = _nearest(parts, signal[known], 1e-9)
    a, b, c, d = np.split(fitted, 4)
    amplitude = a + 1j * b
    moved = (c + 1j * d) / np.where(np.abs(amplitude) > 0, amplitude, 1)
    turn = np.clip(moved.imag, -2 * np.pi * _MOST_TURN, 2 * np.pi * _MOST_TURN)
    decay = np.clip(poles.real + np.clip(moved.real, -_MOST_NEPERS, _MOST_NEPERS), *_NEPERS)
    return np.asarray(decay + 1j * np.abs(poles.imag + turn))


def _sum(signal: Array, known: NDArray[np.bool_], time: Array, poles: NDArray[np.complex128]) -> Array:
    """Return the sum (frames,) of the lines with these poles that is nearest to what is known."""
    lines = _columns(time, poles)
    parts = np.concatenate([lines.real, -lines.imag], axis=1)
    fitted = _nearest(parts[known], signal[known], 1e-6)
    return np.asarray(parts @ fitted)


def _nearest(parts: Array, signal: Array, rcond: float) -> Array:
    """Return the amplitudes (parts,) by which the sum of `parts` (frames, parts) is nearest to a signal (frames,).

    What counts of them, and of the signal, is first reduced to a few rows, block by block: blocks are so small that
    LAPACK takes each in one thread. Of the whole, threads would wait for each other at every column.
    """
    rows = np.column_stack([parts, signal])
    while len(rows) > _ROWS:
        blocks = np.pad(rows, ((0, -len(rows) % _ROWS), (0, 0))).reshape(-1, _ROWS, rows.shape[1])
        rows = np.asarray(np.linalg.qr(blocks, mode="r")).reshape(-1, rows.shape[1])
    return np.asarray(np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=rcond)[0])

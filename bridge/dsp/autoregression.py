"""Gaps filled by an autoregressive model: the expected samples, and samples as they might have been.

The expected ones are those of least squares (Janssen, Veldhuis & Vries 1986). They lose the noise, as what is random is
expected to be nothing. So a realisation of the model's own noise is added, less what its surroundings say of it, which
makes a draw from all that may have been there (Rayner & Godsill 1991).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_QUIET: Final = 1e-20
_WARM_UP: Final = 2048
_DAMPING: Final = 1e-14
"""Of the gap's own power: without it rounding decides what a model of tones without noise makes."""


def burg(parts: list[Array], order: int) -> tuple[Array, float]:
    """Return the predictor polynomial (order + 1,), its first coefficient 1, and the power of the error.

    One model for several pieces of a signal, each (frames,), by Burg's method (1975): it is stable.
    """
    forward = [part[1:].copy() for part in parts]
    backward = [part[:-1].copy() for part in parts]
    total = sum(len(part) for part in parts)
    power = sum(float(part @ part) for part in parts) / max(total, 1) + _QUIET
    coefficients = np.ones(1)
    for _ in range(order):
        cross = sum(float(f @ b) for f, b in zip(forward, backward, strict=True))
        energy = sum(float(f @ f + b @ b) for f, b in zip(forward, backward, strict=True))
        reflection = -2 * cross / (energy + _QUIET)
        coefficients = np.append(coefficients, 0.0) + reflection * np.append(coefficients, 0.0)[::-1]
        power *= 1 - reflection**2
        pairs = [(f + reflection * b, b + reflection * f) for f, b in zip(forward, backward, strict=True)]
        forward, backward = [f[1:] for f, _ in pairs], [b[:-1] for _, b in pairs]
    return coefficients, max(power, _QUIET)


def expected(signal: Array, start: int, end: int, coefficients: Array) -> Array:
    """Return what the model expects at frames `start` to `end` of a signal (frames,), given all around them.

    The prediction errors become least: the equations are banded and Toeplitz.
    """
    return _solved(_wanted(signal, start, end, coefficients), coefficients)


def drawn(
    signal: Array, start: int, end: int, model: tuple[Array, float], rng: np.random.Generator, share: float = 1.0
) -> Array:
    """Return samples for frames `start` to `end` as they may have been: the expected ones and noise of the model.

    `share` is how much of the noise there is: 0 is `expected`.
    """
    coefficients, power = model
    if not share:
        return expected(signal, start, end, coefficients)
    order, missing = len(coefficients) - 1, end - start
    frames = missing + 2 * order
    noise = synthesize(rng.standard_normal(frames + _WARM_UP) * np.sqrt(power), coefficients)[_WARM_UP:]
    right = _wanted(signal, start, end, coefficients) - share * _wanted(noise, order, order + missing, coefficients)
    return share * noise[order : order + missing] + _solved(right, coefficients)


def _wanted(signal: Array, start: int, end: int, coefficients: Array) -> Array:
    """Return what frames `start` to `end` must cancel (end - start,): the errors of what is around them."""
    order = len(coefficients) - 1
    first, last = max(0, start - order), min(len(signal), end + order)
    known = signal[first:last].copy()
    known[start - first : end - first] = 0
    # The prediction errors with silence in the gap, and where the signal ends.
    errors = np.convolve(known, coefficients)
    return -np.correlate(errors, coefficients, "valid")[start - first : end - first]


def synthesize(excitation: Array, coefficients: Array) -> Array:
    """Return the signal (frames,) that a model makes of white noise (frames,), by its impulse response."""
    frames = len(excitation)
    size = 1 << (2 * frames - 1).bit_length()
    # The response of 1 / A: sampled on a circle a little outside the unit circle, it does not wrap around.
    radius = np.exp(-12.0 / size)
    powers = radius ** np.arange(size)
    spectrum = np.fft.rfft(coefficients * powers[: len(coefficients)], size)
    response = np.fft.irfft(1 / spectrum, size)[:frames] / powers[:frames]
    return np.fft.irfft(np.fft.rfft(response, size) * np.fft.rfft(excitation, size), size)[:frames]


def _solved(right: Array, coefficients: Array, damping: float = _DAMPING) -> Array:
    """Return what fills a gap (count,) by what it must cancel (count,): the system is of the model's autocorrelation.

    By its Cholesky factor, column by column in the time of the band's width (Schur 1917): a column follows from the one
    before, moved down by one, and a second sequence that is turned into it. The gap's own power counts a little beside
    the errors, and more where rounding leaves a model of tones without noise no such factor.
    """
    count, width = len(right), len(coefficients)
    lags = np.correlate(coefficients, coefficients, "full")[width - 1 :]
    lags[0] *= 1 + damping
    columns = np.empty((count, width))
    one, other = lags / np.sqrt(lags[0]), np.zeros(width + 1)
    other[1:-1] = one[1:]
    left = np.pad(right, (0, width))
    solved = np.zeros(count + width)
    for at in range(count):
        columns[at] = one
        solved[at] = left[at] / one[0]
        left[at : at + width] -= solved[at] * one
        turn = other[1] / one[0]
        if abs(turn) >= 1:
            return _solved(right, coefficients, 10 * damping)
        straight = np.sqrt(1 - turn**2)
        one = (one - turn * other[1:]) / straight
        other[:-1] = straight * other[1:] - turn * one
    for at in range(count - 1, -1, -1):
        solved[at] = (solved[at] - columns[at, 1:] @ solved[at + 1 : at + width]) / columns[at, 0]
    return solved[:count]

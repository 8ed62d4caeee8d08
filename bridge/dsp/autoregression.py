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

    The prediction errors become least: the equations are banded and Toeplitz, and are solved block by block.
    """
    order, missing = len(coefficients) - 1, end - start
    first, last = max(0, start - order), min(len(signal), end + order)
    known = signal[first:last].copy()
    known[start - first : end - first] = 0
    # The prediction errors with silence in the gap, and where the signal ends: what the gap must cancel.
    errors = np.convolve(known, coefficients)
    right = -np.correlate(errors, coefficients, "valid")[start - first : end - first]
    lags = np.correlate(coefficients, coefficients, "full")[order:]
    return _solve_banded(lags, right, missing)


def drawn(
    signal: Array, start: int, end: int, model: tuple[Array, float], rng: np.random.Generator, share: float = 1.0
) -> Array:
    """Return samples for frames `start` to `end` as they may have been: the expected ones and noise of the model.

    `share` is how much of the noise there is: 0 is `expected`.
    """
    coefficients, power = model
    order = len(coefficients) - 1
    filled = expected(signal, start, end, coefficients)
    if not share:
        return filled
    frames = end - start + 2 * order
    noise = synthesize(rng.standard_normal(frames + _WARM_UP) * np.sqrt(power), coefficients)[_WARM_UP:]
    inside = noise[order : order + end - start]
    return filled + share * (inside - expected(noise, order, order + end - start, coefficients))


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


def _solve_banded(lags: Array, right: Array, count: int) -> Array:
    """Return the solution (count,) of a symmetric Toeplitz system with these `lags` and 0 beyond.

    By elimination of blocks as wide as the band (Thomas). Rows past the end are an identity's, and change nothing.
    """
    width = min(max(len(lags) - 1, 1), count)
    blocks = -(-count // width)
    inside = np.arange(blocks * width).reshape(blocks, width) < count
    padded = np.pad(lags, (0, 2 * width))
    rows = np.arange(width)
    diagonal, above = padded[np.abs(rows[:, None] - rows)], padded[rows + width - rows[:, None]]
    rights = np.pad(right, (0, blocks * width - count)).reshape(blocks, width)
    uppers: list[Array] = []
    solved: list[Array] = []
    for at in range(blocks):
        own = np.where(inside[at][:, None] & inside[at], diagonal, np.eye(width))
        beside = np.where(inside[min(at + 1, blocks - 1)], above, 0.0)
        target = rights[at]
        if at:
            lower = np.where(inside[at], above, 0.0).T
            own, target = own - lower @ uppers[-1], target - lower @ solved[-1]
        both = np.linalg.solve(own, np.column_stack([beside, target]))
        uppers.append(both[:, :-1])
        solved.append(both[:, -1])
    answer = [solved[-1]]
    for upper, part in zip(uppers[-2::-1], solved[-2::-1], strict=True):
        answer.append(part - upper @ answer[-1])
    return np.concatenate(answer[::-1])[:count]

"""Partials that ring on: each line's frequency, decay time and phase, measured before the end of a hit."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.conversion import fitted
from ghostnote.bridge.dsp.partials import RATE
from ghostnote.bridge.dsp.parts import Audio
from ghostnote.bridge.dsp.ringing import T60_NEPERS, Lines, synthesize

Array = NDArray[np.float64]

_MEASURED_FRAMES: Final = 22_050
_SEGMENT_FRAMES: Final = (1024, 4096)
_FITTED_FRAMES: Final = 4096
_MOST_LINES: Final = 48
_AUDIBLE: Final = 10 ** (-50 / 20)
"""Lines that lie farther under the strongest are left out."""
_LEAST_HZ: Final = 25.0
_T60_SECONDS: Final = (0.02, 20.0)
_RIDGE: Final = 1e-6
_SLOWEST: Final = 1.3
"""Beside the mean by energy: what seems to decay slower beats with another line, or is a stronger one's skirt."""
_LOW_HZ: Final = 250.0
"""What lines leave below this is a glide, and not noise."""
_QUIET: Final = 1e-9


def continued_lines(partials: Audio, residual: Audio, frames: int, onset: int) -> tuple[Audio, Audio]:
    """Return partials that ring on, (channels, frames), and what is noise, (channels, fewer), of the parts of a hit.

    The parts are (channels, fewer) at 44.1 kHz. Over the last 93 ms the partials are decaying sinusoids, and go on as
    those. What these leave of the hit there is as dense as noise and goes on as noise does.
    """
    end, hit = partials.shape[1], partials + residual
    tail = partials[:, max(onset, end - _MEASURED_FRAMES) :]
    whole = fitted(partials, frames).copy()
    if tail.shape[1] < _SEGMENT_FRAMES[0] or np.abs(tail).max() < _QUIET:
        return whole, residual
    hz, t60 = measured_lines(tail)
    if not len(hz):
        return whole, residual
    t60 = np.minimum(t60, _SLOWEST * _whole_t60(hit[:, -tail.shape[1] :]))
    start = end - min(_FITTED_FRAMES, tail.shape[1])
    for side, amplitude in zip(whole, _amplitudes(hit[:, start:], hz, t60), strict=True):
        lines = Lines(hz, np.abs(amplitude), t60, np.angle(amplitude), np.zeros(len(hz)))
        side[start:] = synthesize(lines, frames - start, RATE)
    left = np.concatenate([residual[:, :start], hit[:, start:] - whole[:, start:end]], axis=1)
    lows = [np.square(_lows(part[:, start:])).sum() for part in (partials, residual)]
    if lows[0] > lows[1]:
        # A kick glides, which is not noise: of its lows only what never rang goes on as that.
        left[:, start:] += _lows(residual[:, start:] - left[:, start:])
    return whole, left


def measured_lines(tail: Audio) -> tuple[Array, Array]:
    """Return the frequencies in Hz and the decay times in seconds of the lines of partials (channels, frames)."""
    segment = int(np.clip(1 << (tail.shape[1].bit_length() - 2), *_SEGMENT_FRAMES))
    hop = segment // 4
    window = np.hanning(segment + 1)[:-1]
    # From the end, so that the last segment ends with the hit.
    reversed_views = np.lib.stride_tricks.sliding_window_view(tail[:, ::-1], segment, axis=1)[:, ::hop]
    segments = reversed_views[:, ::-1, ::-1].astype(np.float64) * window
    hz = _peaks_hz(segments[:, -1])
    turn = np.exp(-2j * np.pi * hz[:, None] / RATE * np.arange(segment)).T
    level = np.log(np.square(np.abs(segments @ turn)).sum(axis=0) + _QUIET**2) / 2
    fall, energy = _falls(level) * (RATE / hop), np.exp(2 * level[-1])
    mean = (energy * fall).sum() / (energy.sum() + _QUIET**2)
    return hz, np.asarray(np.clip(T60_NEPERS / np.maximum(fall, max(mean / _SLOWEST, 1e-3)), *_T60_SECONDS))


def _peaks_hz(segments: Array) -> Array:
    """Return the frequencies of the highest peaks of a windowed segment (channels, frames)."""
    size = 4 * segments.shape[1]
    power = np.square(np.abs(np.fft.rfft(segments, size))).sum(axis=0)
    reach = 8
    views = np.lib.stride_tricks.sliding_window_view(np.pad(power, reach), 2 * reach + 1)
    peaks = np.flatnonzero((power >= views.max(axis=1)) & (power > _AUDIBLE**2 * power.max()))
    peaks = peaks[(peaks > _LEAST_HZ * size / RATE) & (peaks < len(power) - 1)]
    peaks = np.sort(peaks[np.argsort(power[peaks])[-_MOST_LINES:]])
    left, middle, right = (np.log(power[peaks + step] + _QUIET**2) for step in (-1, 0, 1))
    bend = np.minimum(left - 2 * middle + right, -1e-12)
    return np.asarray((peaks + 0.5 * (left - right) / bend) * RATE / size)


def _whole_t60(tail: Audio) -> float:
    """Return in how many seconds a tail (channels, frames) decays as a whole: few values of one line say less."""
    block = _SEGMENT_FRAMES[0]
    whole = tail[:, tail.shape[1] % block :].astype(np.float64)
    level = np.log(np.square(whole).reshape(len(tail), -1, block).mean(axis=(0, 2)) + _QUIET**2) / 2
    if len(level) < 3:
        return _T60_SECONDS[1]
    fall = -float(np.polyfit(np.arange(len(level)), level, 1)[0]) * RATE / block
    return float(np.clip(T60_NEPERS / max(fall, 1e-3), *_T60_SECONDS))


def _falls(level: Array) -> Array:
    """Return how fast log levels (segments, lines) fall from one segment to the next, from the loudest one on."""
    if len(level) < 3:
        return np.full(level.shape[1], 0.3)
    first = np.minimum(level.argmax(axis=0), len(level) - 3)
    counts = (np.arange(len(level))[:, None] >= first).astype(float)
    place = np.arange(len(level))[:, None] * counts
    centred = (place - place.sum(axis=0) / counts.sum(axis=0)) * counts
    return np.asarray(-(centred * level).sum(axis=0) / np.square(centred).sum(axis=0))


def _amplitudes(tail: Audio, hz: Array, t60: Array) -> NDArray[np.complex128]:
    """Return complex amplitudes (channels, lines) at the beginning of a tail (channels, frames), by least squares."""
    pole = (-T60_NEPERS / t60 + 2j * np.pi * hz) / RATE
    # The nearer to the end the more it counts.
    weight = np.sin(np.linspace(0, np.pi / 2, tail.shape[1]))
    rings = np.exp(pole[:, None] * np.arange(tail.shape[1])) * weight
    basis = np.concatenate([rings.real, -rings.imag])
    square = basis @ basis.T
    square += _RIDGE * np.trace(square) / len(square) * np.eye(len(square))
    found = np.linalg.solve(square, basis @ (tail * weight).T).T
    half = len(hz)
    return np.asarray(found[:, :half] + 1j * found[:, half:])


def _lows(audio: Audio) -> Audio:
    spectra = np.fft.rfft(audio)
    spectra[:, round(_LOW_HZ * audio.shape[1] / RATE) + 1 :] = 0
    return np.fft.irfft(spectra, audio.shape[1]).astype(np.float32)

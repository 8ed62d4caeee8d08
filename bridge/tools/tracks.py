"""Partials as tracks: each line's level and frequency over time, from which the partials can be made again.

The spectrum is parted between its peaks, and each part is one line: a decaying, perhaps gliding sinusoid. Together the
lines are the partials themselves, so nothing is lost; but unlike a waveform they can be interpolated.
"""

import itertools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.partials import RATE, fast_size

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

STEP: Final = 16
"""Frames between two values of a track."""
TRACK_RATE: Final = RATE / STEP
NEPERS: Final = float(np.log(10)) / 20
"""Of a decibel."""
FLOOR_DB: Final = -100.0
"""Beside the loudest value of a hit: what a line has where it is silent."""

_MOST_LINES: Final = 20
_AUDIBLE: Final = 10 ** (-50 / 10)
_APART_HZ: Final = 24.0
_LEAST_HZ, _MOST_HZ = 20.0, 16_000.0
_REACH_HZ: Final = 1_000.0
"""How far a line's part of the spectrum reaches to either side at most."""
_SOFT: Final = 0.3
"""The share of a part's side over which it fades into the next one."""
_SMOOTHED: Final = 13
_SOUNDING: Final = 10 ** (-30 / 20)
"""Beside a line's loudest value: later it keeps its frequency, as what leaks from its neighbours would be measured."""
_SETTLED: Final = 256
"""Values, 93 ms, over which that frequency is measured."""
_ATTACK_VALUES: Final = round(0.03 * TRACK_RATE)
_TINY: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Tracks:
    """Lines of a hit; values are STEP frames apart."""

    log_hz: Array
    """(channels, lines, values): smooth frequency, as log2 of Hz."""
    level: Array
    """(channels, lines, values): log amplitude in nepers."""
    wobble: Array
    """(channels, lines, values): what is left of the phase, in radians."""
    phase: Array
    """(channels, lines): at the beginning."""
    energy: Array
    """(lines,): of what follows the attack."""

    @property
    def main(self) -> int:
        """The line with the most energy."""
        return int(self.energy.argmax())

    @property
    def middle(self) -> Array:
        """Each line's frequency, by its level, as log2 of Hz, (lines,)."""
        weight = np.exp(2 * (self.level - self.level.max(axis=2, keepdims=True)))
        return np.asarray((self.log_hz * weight).sum(axis=(0, 2)) / weight.sum(axis=(0, 2)))

    def channel(self, channel: int, lines: list[int]) -> "LineTracks":
        """Return some of the lines of one channel."""
        values = (self.log_hz, self.level, self.wobble, self.phase)
        return LineTracks(*(each[channel][lines] for each in values))


@dataclass(frozen=True, eq=False)
class LineTracks:
    """The lines of one channel, with the meaning of the fields of `Tracks`."""

    log_hz: Array
    """(lines, values)."""
    level: Array
    """(lines, values)."""
    wobble: Array
    """(lines, values)."""
    phase: Array
    """(lines,)."""

    def changed(self, octaves: Array | float, gain: Array | float) -> "LineTracks":
        """Return them so many octaves higher, and with a log gain, for each value."""
        return LineTracks(self.log_hz + octaves, self.level + gain, self.wobble, self.phase)

    def towards(self, other: "LineTracks", share: Array) -> "LineTracks":
        """Return what lies between these and other lines, by the share of the others (values,)."""
        turn = np.angle(np.exp(1j * (other.phase - self.phase)))
        return LineTracks(
            (1 - share) * self.log_hz + share * other.log_hz,
            (1 - share) * self.level + share * other.level,
            (1 - share) * self.wobble + share * other.wobble,
            self.phase + float(share[0]) * turn,
        )

    @staticmethod
    def joined(*parts: "LineTracks") -> "LineTracks":
        """Return all lines of several sets."""
        fields = ("log_hz", "level", "wobble", "phase")
        return LineTracks(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def tracks_of(partials: Audio, frames: int) -> tuple[Tracks | None, Audio]:
    """Return the lines of partials (channels, fewer) over `frames`, and what belongs to none, (channels, frames).

    There are no lines, None, where nothing rings.
    """
    size = -(-fast_size(frames + RATE // 4) // (2 * STEP)) * 2 * STEP
    spectra = np.fft.rfft(partials, size)
    power = np.square(np.abs(spectra)).sum(axis=0)
    peaks = _peaks(power, size)
    if not len(peaks):
        return None, np.zeros((len(partials), frames), np.float32)
    shares = _shares(power, peaks, size)
    values = -(-frames // STEP) + 1
    base = np.stack(
        [_baseband(spectra, share, peak, size)[:, :values] for share, peak in zip(shares, peaks, strict=True)]
    )
    left = np.fft.irfft(spectra * (1 - shares.sum(axis=0)), size)[:, :frames].astype(np.float32)
    return _tracks(base.transpose(1, 0, 2), peaks * RATE / size), left


def ringing(lines: "LineTracks", frames: int) -> Audio:
    """Return the sum (frames,) of lines."""
    audible = lines.level.max(axis=1) > lines.level.max() + 0.8 * FLOOR_DB * NEPERS
    turns = np.cumsum(2 * np.pi * 2 ** lines.log_hz[audible] / TRACK_RATE, axis=1)
    angle = lines.phase[audible, None] + turns - turns[:, :1] + lines.wobble[audible]
    total = np.zeros(frames)
    for amplitude, turned in zip(np.exp(lines.level[audible]), angle, strict=True):
        total += (_between(amplitude) * np.cos(_between(turned)))[:frames]
    return total.astype(np.float32)


def _between(values: Array) -> Array:
    """Return values STEP frames apart for each frame."""
    rise = np.arange(STEP) / STEP
    return np.asarray(values[:-1, None] * (1 - rise) + values[1:, None] * rise).reshape(-1)


def _peaks(power: Array, size: int) -> NDArray[np.int64]:
    """Return the bins of the highest peaks, in order."""
    reach = max(2, round(_APART_HZ * size / RATE / 2))
    smooth = np.convolve(power, np.hanning(2 * (reach // 2) + 3)[1:-1], "same")
    views = np.lib.stride_tricks.sliding_window_view(np.pad(smooth, reach), 2 * reach + 1)
    found = np.flatnonzero((smooth >= views.max(axis=1)) & (smooth > _AUDIBLE * smooth.max()) & (smooth > _TINY**2))
    low, high = (round(hz * size / RATE) for hz in (_LEAST_HZ, _MOST_HZ))
    found = found[(found >= low) & (found <= high)]
    return np.sort(found[np.argsort(smooth[found])[-_MOST_LINES:]])


def _shares(power: Array, peaks: NDArray[np.int64], size: int) -> Array:
    """Return how much of each bin belongs to each line, (lines, bins)."""
    bins, reach = np.arange(len(power)), round(_REACH_HZ * size / RATE)
    valleys = [a + int(power[a : b + 1].argmin()) for a, b in itertools.pairwise(peaks)]
    lows = np.maximum([0, *valleys], peaks - reach)
    highs = np.minimum([*valleys, len(power) - 1], peaks + reach)
    shares = np.ones((len(peaks), len(power)))
    for share, peak, low, high in zip(shares, peaks, lows, highs, strict=True):
        share *= _edge(bins - low, _SOFT * (peak - low)) if low > 0 else 1
        share *= _edge(high - bins, _SOFT * (high - peak))
    # Where two fade into each other they add up to one.
    total = shares.sum(axis=0)
    return np.asarray(shares / np.maximum(total, 1))


def _edge(inside: NDArray[Any], soft: float) -> Array:
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((inside / max(soft, 1) + 1) / 2, 0, 1)))


def _baseband(spectra: NDArray[np.complex128], share: Array, peak: int, size: int) -> NDArray[np.complex128]:
    """Return one line's analytic signal (channels, values), turned down to 0 Hz and thinned out."""
    many = size // STEP
    first, last = max(peak - many // 2 + 1, 0), min(peak + many // 2, spectra.shape[1])
    moved = np.zeros((len(spectra), many), np.complex128)
    moved[:, (np.arange(first, last) - peak) % many] = spectra[:, first:last] * share[first:last]
    return np.asarray(np.fft.ifft(moved) * (2 / STEP))


def _tracks(base: NDArray[np.complex128], centres_hz: Array) -> Tracks:
    """Return the tracks of lines (channels, lines, values) that were turned down by their centres."""
    size = np.abs(base)
    floor = size.max() * 10 ** (FLOOR_DB / 20) + _TINY
    turned = base[:, :, 1:] * base[:, :, :-1].conj()
    weight = np.abs(turned) + floor**2
    step = np.angle(turned)
    kernel = np.hanning(2 * _SMOOTHED + 3)[1:-1]

    def smoothed(values: Array) -> Array:
        padded = np.pad(values, ((0, 0), (0, 0), (_SMOOTHED, _SMOOTHED)), mode="edge")
        return np.apply_along_axis(np.convolve, 2, padded, kernel, "valid")

    slow = smoothed(step * weight) / smoothed(weight)
    step, slow = _held(step, slow, weight)
    slow = np.concatenate([slow[:, :, :1], slow], axis=2)
    hz = np.maximum(centres_hz[:, None] + slow * (TRACK_RATE / (2 * np.pi)), _LEAST_HZ)
    angle = np.concatenate([np.zeros_like(step[:, :, :1]), step.cumsum(axis=2)], axis=2)
    smooth_angle = (2 * np.pi / TRACK_RATE) * (hz - centres_hz[:, None]).cumsum(axis=2)
    wobble = angle - (smooth_angle - smooth_angle[:, :, :1])
    # The attack says little of the pitch.
    body = size[:, :, _ATTACK_VALUES:] if size[:, :, _ATTACK_VALUES:].max(initial=0.0) > floor else size
    energy = np.square(body).sum(axis=(0, 2))
    return Tracks(np.log2(hz), np.log(np.maximum(size, floor)), wobble, np.angle(base[:, :, 0]), energy)


def _held(step: Array, slow: Array, weight: Array) -> tuple[Array, Array]:
    """Return steps of phase and smooth ones (channels, lines, values), which stay as they are where a line fades."""
    step, slow = step.copy(), slow.copy()
    for place in np.ndindex(step.shape[:2]):
        end = int(np.flatnonzero(weight[place] >= weight[place].max() * _SOUNDING**2)[-1]) + 1
        before = slice(max(0, end - _SETTLED), end)
        kept = (step[place][before] * weight[place][before]).sum() / weight[place][before].sum()
        step[place][end:] = slow[place][end:] = kept
    return step, slow

"""Partials as tracks: each line's level and frequency over time, from which the partials can be made again.

Each line is a decaying, perhaps gliding sinusoid. Together they are the partials themselves, so nothing is lost; but
unlike a waveform they can be interpolated.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.band_lines import BODY_FRAMES, BODY_START
from ghostnote.bridge.tools.parted_lines import LEAST_HZ, STEP, TRACK_RATE, parted_lines
from ghostnote.bridge.tools.pitch import PITCH_HZ

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

NEPERS: Final = float(np.log(10)) / 20
"""Of a decibel."""
FLOOR_DB: Final = -100.0
"""Beside the loudest value of a hit: what a line has where it is silent."""

_SMOOTHED: Final = 13
_SOUNDING: Final = 10 ** (-30 / 20)
"""Beside a line's loudest value: later it keeps its frequency, as what leaks from its neighbours would be measured."""
_SETTLED: Final = 256
"""Values, 93 ms, over which that frequency is measured."""
_BODY_START: Final = BODY_START // STEP
_BODY_VALUES: Final = BODY_FRAMES // STEP
_PITCHED: Final = 10 ** (-30 / 10)
"""Beside the strongest line: what is weaker is no drum's pitch, though it lies where one could."""
_RIVAL: Final = 10 ** (-3 / 10)
"""Beside the strongest line: which of lines so strong is the pitch is chance."""
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
    strength: Array
    """(lines,): power of the highest peak in the spectrum of what follows the attack."""
    middle: Array
    """(lines,): where that peak lies, as log2 of Hz."""

    @property
    def main(self) -> NDArray[np.int64]:
        """The strongest line of those that can be a drum's pitch, if any can, and what is nearly as strong, (some,)."""
        hz = 2**self.middle
        pitched = (hz > PITCH_HZ[0]) & (hz < PITCH_HZ[1]) & (self.strength > _PITCHED * self.strength.max())
        as_pitch = np.where(pitched | ~pitched.any(), self.strength, 0)
        return np.flatnonzero(as_pitch >= _RIVAL * as_pitch.max())

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
    parted = parted_lines(partials, frames)
    if parted is None:
        return None, np.zeros((len(partials), frames), np.float32)
    return _tracks(parted.base, parted.hz), parted.left


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
    hz = np.maximum(centres_hz[:, None] + slow * (TRACK_RATE / (2 * np.pi)), LEAST_HZ)
    angle = np.concatenate([np.zeros_like(step[:, :, :1]), step.cumsum(axis=2)], axis=2)
    smooth_angle = (2 * np.pi / TRACK_RATE) * (hz - centres_hz[:, None]).cumsum(axis=2)
    wobble = angle - (smooth_angle - smooth_angle[:, :, :1])
    # The attack says little of the pitch.
    body = base[:, :, _BODY_START:] if size[:, :, _BODY_START:].max(initial=0.0) > floor else base
    strength, turns = _highest(body[:, :, :_BODY_VALUES])
    middle = np.log2(np.maximum(centres_hz + turns * TRACK_RATE, LEAST_HZ))
    level = np.log(np.maximum(size, floor))
    return Tracks(np.log2(hz), level, wobble, np.angle(base[:, :, 0]), strength, middle)


def _highest(body: NDArray[np.complex128]) -> tuple[Array, Array]:
    """Return the power of the highest peak of each line (channels, lines, values), and its turns a value."""
    size = 4 * _BODY_VALUES
    seen = body * np.blackman(_BODY_VALUES)[: body.shape[2]]
    power = np.square(np.abs(np.fft.fft(seen, size))).sum(axis=0)
    peak = power.argmax(axis=1)
    return power[np.arange(len(power)), peak], np.fft.fftfreq(size)[peak]


def _held(step: Array, slow: Array, weight: Array) -> tuple[Array, Array]:
    """Return steps of phase and smooth ones (channels, lines, values), which stay as they are where a line fades."""
    step, slow = step.copy(), slow.copy()
    for place in np.ndindex(step.shape[:2]):
        end = int(np.flatnonzero(weight[place] >= weight[place].max() * _SOUNDING**2)[-1]) + 1
        before = slice(max(0, end - _SETTLED), end)
        kept = (step[place][before] * weight[place][before]).sum() / weight[place][before].sum()
        step[place][end:] = slow[place][end:] = kept
    return step, slow

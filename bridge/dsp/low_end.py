"""The low end of a hit's first 0.1 s, over which its strokes do not go.

The windows of a lapped transform are shorter than a period of what is lowest, so noise that is made there reaches below
the drum, and a gain that moves within an attack spreads what it moves. Both are heard as a thump that the drum does not
have.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.minimum_phase import minimum_phase
from ghostnote.bridge.dsp.shape import RATE

Audio = NDArray[np.float32]
Array = NDArray[np.float32]

_FRAMES: Final = 6144
"""What is looked at, 139 ms; its second half fades."""
_SIZE: Final = 8192
"""Of the transform: what is left over is for the filter to ring."""
_WINDOW: Final = np.ones(_FRAMES, np.float32)
_WINDOW[_FRAMES // 2 :] = np.cos(np.linspace(0, np.pi / 2, _FRAMES // 2)) ** 2
_WHOLE_HZ, _END_HZ = 150.0, 400.0
"""Up to the first frequency the filter does all, from the second on nothing."""
_SMOOTHED_HZ: Final = 30.0
_SLACK: Final = 1.5
"""How much more power a stroke may have: real strokes have now more, now less."""
_MOST_NEPERS: Final = 2.5
_FLOOR: Final = 1e-9
_SILENT: Final = 1e-20
_LEAST_NEPERS: Final = 0.01


class LowEnd:
    """The low end of one hit."""

    def __init__(self, hit: Audio, partials: Audio) -> None:
        """Measure a hit (channels, frames) that begins at once, and its partials."""
        self._power, self._of_partials = (_low_power(_spectrum(sound)) for sound in (hit, partials))
        floor = _FLOOR * float(self._power.max()) + _SILENT
        nearer, further = np.sort([self._power + floor, self._of_partials + floor], axis=0)
        self._share = (nearer / further) ** 3
        """How far partials alone are the low end: 0 where they are weak, or where what is low in them cancels out."""

    def limit(self, stroke: Audio, partials: Audio) -> None:
        """Change a stroke (channels, frames) in place so that no low band has much more power than this hit's.

        Where that is partials and its own `partials` have more, it may have as many times more. The filter is of
        minimum phase, and the same in all channels: nothing sounds sooner, and the image stays.
        """
        spectrum = _spectrum(stroke)
        power = _low_power(spectrum)
        floor = _FLOOR * float(power.max()) + _SILENT
        louder = (_low_power(_spectrum(partials)) + floor) / (self._of_partials + floor)
        allowed = self._power * (1 + self._share * np.maximum(louder - 1, 0))
        nepers = 0.5 * np.log(_SLACK * (allowed + floor) / (power + floor))
        nepers = np.clip(nepers, -_MOST_NEPERS, 0) * _SHARE
        if nepers.min() > -_LEAST_NEPERS:
            return
        log_gain = np.zeros(spectrum.shape[1])
        log_gain[: len(nepers)] = nepers
        change = np.fft.irfft((minimum_phase(log_gain) - 1) * spectrum, _SIZE)
        frames = min(_SIZE, stroke.shape[1])
        stroke[:, :frames] += change[:, :frames].astype(np.float32)


def _spectrum(hit: Audio) -> NDArray[np.complex64]:
    head = np.zeros((len(hit), _FRAMES), np.float32)
    found = hit[:, :_FRAMES]
    head[:, : found.shape[1]] = found
    return np.asarray(np.fft.rfft(head * _WINDOW, _SIZE), np.complex64)


def _low_power(spectrum: NDArray[np.complex64]) -> Array:
    """Return the power of the bins below `_END_HZ`, smoothed over `_SMOOTHED_HZ`."""
    reach = len(_SMOOTHED) // 2
    power = np.square(np.abs(spectrum[:, : len(_SHARE) + reach])).sum(axis=0)
    return np.convolve(np.concatenate([power[reach:0:-1], power]), _SMOOTHED, "valid").astype(np.float32)


def _share() -> Array:
    """Return how much of the filter each bin gets."""
    hertz = np.arange(int(_END_HZ * _SIZE / RATE)) * RATE / _SIZE
    return np.clip((_END_HZ - hertz) / (_END_HZ - _WHOLE_HZ), 0, 1).astype(np.float32)


def _smoothed() -> Array:
    window = np.hanning(2 * round(_SMOOTHED_HZ * _SIZE / RATE / 2) + 3)[1:-1]
    return np.asarray(window / window.sum(), np.float32)


_SHARE: Final = _share()
_SMOOTHED: Final = _smoothed()

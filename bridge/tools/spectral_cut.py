"""Where the spectrum of a hit is cut off, and filters for what lies above the cut and below it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.minimum_phase import minimum_phase
from ghostnote.bridge.dsp.partials import RATE, fast_size

Audio = NDArray[np.float32]
Array = NDArray[np.float64]

CUT_HZ: Final = (1500.0, 20_500.0)
_TRANSITION_HZ: Final = 150.0
_TAPS: Final = 16_384
_STOPPED: Final = 10 ** (-110 / 20)
_END_FRAMES: Final = 441
_STEP_DB: Final = 24.0
_STEP_HZ: Final = 700.0
_PRESENT_DB: Final = -75.0
_SIZE: Final = 8192
_EDGE_SECONDS: Final = 0.008
"""So long an edge leaks less than 75 dB under the lows of a kick."""


def find_cut(hit: Audio, rate: int) -> float | None:
    """Return the frequency above which a hit (channels, frames) has been cut off, or None where it just fades.

    There its spectrum falls by 24 dB within 700 Hz, and nothing comes after. At a rate below 44.1 kHz what fades is
    cut off by the rate.
    """
    window = np.hanning(_SIZE + 1)[:-1]
    padded = np.pad(_faded(hit.mean(axis=0).astype(np.float64), rate), (_SIZE // 2, _SIZE))
    power = np.square(
        np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[:: _SIZE // 2] * window))
    )
    spectrum = power.sum(axis=0)
    smooth = max(1, round(150 * _SIZE / rate))
    level = 10 * np.log10(np.convolve(spectrum, np.ones(smooth) / smooth, "same") + 1e-20)
    hz = np.fft.rfftfreq(_SIZE, 1 / rate)
    step = round(_STEP_HZ * _SIZE / rate)
    present = np.flatnonzero(level > level.max() + _PRESENT_DB)
    last = int(present[-1])
    by_rate = 0.47 * rate if rate < RATE else None
    if by_rate and hz[last] > 0.9 * rate / 2:
        return float(min(hz[last], by_rate))
    if last + step >= len(level):
        return by_rate
    drop = level[max(0, last - step) : last + 1].max() - level[last + step :].max()
    return float(hz[last]) if drop > _STEP_DB and CUT_HZ[0] < hz[last] < CUT_HZ[1] else by_rate


def _faded(sound: Array, rate: int) -> Array:
    """Return a sound (frames,) that begins and ends in silence: an abrupt edge would have all frequencies."""
    frames = min(round(_EDGE_SECONDS * rate), len(sound) // 4)
    rise = np.sin(np.linspace(0, np.pi / 2, frames)) ** 2
    faded = sound.copy()
    faded[:frames] *= rise
    faded[len(faded) - frames :] *= rise[::-1]
    return faded


def band_filtered(audio: Audio, rate: int, cut: float, *, high: bool) -> Audio:
    """Return what lies above the cut, or what lies below it, of a sound (..., frames), the two adding up to it."""
    frames = audio.shape[-1]
    size = fast_size(frames + rate // 20)
    hz = np.fft.rfftfreq(size, 1 / rate)
    rise = np.sin(np.clip((hz - cut) / _TRANSITION_HZ, 0, 1) * np.pi / 2) ** 2
    spectra = np.fft.rfft(audio, size) * (rise if high else 1 - rise)
    return np.fft.irfft(spectra, size)[..., :frames].astype(np.float32)


def without_bottom(audio: Audio, cut: float) -> Audio:
    """Return what lies above the cut of a sound (frames,) at 44.1 kHz, by a filter that never sounds before it.

    The filter has minimum phase: one of linear phase would ring ahead of an attack, and, where a file begins with it,
    be cut off there, which spreads below the cut.
    """
    hz = np.fft.rfftfreq(_TAPS, 1 / RATE)
    gain = np.sin(np.clip((hz - cut) / _TRANSITION_HZ, 0, 1) * np.pi / 2) ** 2
    taps = np.fft.irfft(minimum_phase(np.log(np.maximum(gain, _STOPPED))), _TAPS)
    ended = audio.copy()
    fade = min(_END_FRAMES, len(ended))
    ended[len(ended) - fade :] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    size = fast_size(len(audio) + _TAPS)
    return np.fft.irfft(np.fft.rfft(ended, size) * np.fft.rfft(taps, size), size)[: len(audio)].astype(np.float32)

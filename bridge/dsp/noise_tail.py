"""Noise that goes on as its bands decay."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.ringing import T60_NEPERS
from ghostnote.bridge.dsp.shape import BAND_HZ, RATE

Audio = NDArray[np.float32]

_WINDOW: Final = 1024
_HOP: Final = 512
_SEEN_FRAMES: Final = 11_264
"""The end of the noise from which its spectrum is taken, 0.26 s."""
_CROSSFADE: Final = 6144
_LAST: Final = 128
"""Frames at the end that may be faded already."""
_SMOOTH: Final = 9
_QUIET: Final = 1e-6
_MOST_NEPERS: Final = 50.0


def continued_noise(
    head: Audio,
    t60: NDArray[np.float64],
    frames: int,
    rng: np.random.Generator,
    *,
    seen: int = _SEEN_FRAMES,
    crossfade: int = _CROSSFADE,
) -> Audio:
    """Return `frames` that begin with the noise `head` (frames,), and go on with others of its spectrum.

    Each band decays in its `t60` (BANDS,) seconds. The spectrum is that of the last `seen` frames, 1,024 at least; the
    two overlap by `crossfade` frames at equal power.
    """
    whole = np.zeros(frames, np.float32)
    kept = min(len(head), frames)
    whole[:kept] = head[:kept]
    if frames <= len(head) or np.abs(head[-seen:]).max() < _QUIET:
        return whole
    start = len(head) - _LAST - crossfade
    tail = _decaying_noise(head[-seen - _LAST : -_LAST], t60, frames - start, crossfade, rng)
    angle = np.linspace(0, np.pi / 2, crossfade, dtype=np.float32)
    whole[start : start + crossfade] *= np.cos(angle)
    whole[start + crossfade :] = 0
    tail[:crossfade] *= np.sin(angle)
    whole[start:] += tail
    return whole


def _decaying_noise(
    seen: Audio, t60: NDArray[np.float64], frames: int, crossfade: int, rng: np.random.Generator
) -> Audio:
    """Return noise (frames,) that goes on `crossfade` before the end of `seen`."""
    window = np.sqrt(np.hanning(_WINDOW + 1)[:-1])
    views = np.lib.stride_tricks.sliding_window_view(seen, _WINDOW)[::_HOP]
    power = np.square(np.abs(np.fft.rfft(views * window))).mean(axis=0) / np.square(window).sum()
    kernel = np.hanning(_SMOOTH + 2)[1:-1]
    power = np.convolve(np.pad(power, _SMOOTH // 2, mode="edge"), kernel / kernel.sum(), "valid")
    count = -(-frames // _HOP) + 1
    noise = np.lib.stride_tricks.sliding_window_view(rng.standard_normal((count + 1) * _HOP), _WINDOW)[::_HOP]
    middles = (np.array(BAND_HZ)[1:] + np.array(BAND_HZ)[:-1]) / 2
    decay = np.exp(np.interp(np.fft.rfftfreq(_WINDOW, 1 / RATE), middles, np.log(t60)))
    # The spectrum is that of the middle of what was seen, but for what decayed from its beginning to its end.
    nepers = np.minimum(T60_NEPERS * len(seen) / RATE / decay, _MOST_NEPERS)
    power *= nepers / np.sinh(nepers)
    seconds = (np.arange(count) * _HOP + len(seen) / 2 - crossfade) / RATE
    gain = np.sqrt(power) * 10 ** (-3 * seconds[:, None] / decay)
    parts = np.fft.irfft(np.fft.rfft(noise * window) * gain) * window
    joined = np.zeros((count + 1, _HOP))
    joined[:-1] += parts[:, :_HOP]
    joined[1:] += parts[:, _HOP:]
    return joined.reshape(-1)[_HOP : _HOP + frames].astype(np.float32)

"""A hit in two parts: its partials, which ring, and the residual, which is noise (Serra & Smith 1990).

A cell of the short-time Fourier transform belongs to the partials where it stands out from the cells around it in
frequency for some time. Three windows, each on what the one before left, find steady partials, glides, and the first
milliseconds of both. Long windows would smear an attack. So the windows that lie after the onset are continued
backwards, each bin as a decaying sinusoid, and the partials begin with the hit.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.onset import PEAK_FLOOR, onset_frame

Audio = NDArray[np.float32]
Spectra = NDArray[np.complex64]
"""(channels, windows, bins)."""

RATE: Final = 44_100
"""Frames a second: the model's, at which hits are split."""
RESIDUAL_FLOOR: Final = 10 ** (-60 / 20)
"""A residual whose peak is below this share of its hit's (-60 dB) is as good as none."""

_WINDOWS: Final = (4096, 1024, 256)
"""Frames of the windows: 93, 23 and 6 ms at 44.1 kHz."""
_SHORT_REACH: Final = 32
"""The shorter windows look at so many times their length from the onset: later nothing is left for them."""
_OVERLAP: Final = 4
"""Windows that cover each frame."""
_PROMINENCE: Final = 1.85
"""How far a partial stands over the mean log level of its neighbours, in nepers (16 dB)."""
_STEEPNESS: Final = 4.0
"""Of the step from residual to partial, per neper."""
_NEIGHBOURS: Final = 15
"""Bins on either side with which a cell is compared."""
_OUTSTANDING: Final = 0.5
"""Nepers over the mean of its neighbours at which a cell counts no more for it."""
_LASTING: Final = 2
"""Windows on either side over which a cell is averaged."""
_LOBE: Final = 2
"""Bins on either side that belong to a partial."""
_FIRST_WHOLE: Final = _OVERLAP
"""The first window that lies in the hit as a whole."""
_POLE: Final = (0.25, 1.02)
"""The least and the largest change of a partial's level from window to window."""
_LOW_HZ: Final = (120.0, 240.0)
"""Below the first frequency all of a kick or tom is partial, as they repeat it. Above the second it depends."""
_LOW_SHARE_DB: Final = (-18.0, -8.0)
"""Shares of a hit's power: with less than the first, what is low is rumble; with more than the second, a ring."""
_LOW_FALL_DB: Final = (-26.0, -16.0)
"""It counts down to the second level below its loudest, and no more at the first."""
_RISE_FRAMES: Final = 22
"""Frames in which the partials rise, before the onset."""
_QUIET: Final = 1e-9


def residual_of(hit: Audio) -> Audio:
    """Return a hit (channels, frames) without its partials."""
    return split(hit)[1]


def split(hit: Audio) -> tuple[Audio, Audio]:
    """Return the partials and the residual of a `hit` (channels, frames) at 44.1 kHz; they add up to it.

    Silence has no partials. All channels are split by the same cells, so that each part keeps the stereo image.
    """
    peak = float(np.abs(hit).max(initial=0.0))
    partials = np.zeros_like(hit)
    if peak > PEAK_FLOOR:
        onset = onset_frame(hit)
        start = max(0, onset - _RISE_FRAMES)
        body = hit[:, start:] / np.float32(peak)
        found = _begun(_low_ring(body), onset - start)
        for window in _WINDOWS:
            reach = body.shape[1] if window == _WINDOWS[0] else _SHORT_REACH * window
            more = _begun(_prominent((body - found)[:, :reach], window), onset - start)
            found[:, :reach] += more if reach >= body.shape[1] else _ended(more, window)
        partials[:, start:] = found * np.float32(peak)
    return partials, hit - partials


def _begun(partials: Audio, onset: int) -> Audio:
    """Return partials (channels, frames) that rise before the frame `onset`."""
    partials[:, :onset] *= np.sin(np.linspace(0, np.pi / 2, onset, dtype=np.float32)) ** 2
    return partials


def _ended(partials: Audio, frames: int) -> Audio:
    """Return partials (channels, more) that fade over the last `frames`."""
    partials[:, -frames:] *= np.cos(np.linspace(0, np.pi / 2, frames, dtype=np.float32)) ** 2
    return partials


def _low_ring(hit: Audio) -> Audio:
    """Return the lowest band of a hit (channels, frames) where it is what the drum is, and while it rings."""
    low = _low_band(hit)
    level_db = _level_db(low)
    share_db = 10 * np.log10((np.square(low).sum() + _QUIET) / (np.square(hit).sum() + _QUIET))
    counts = np.interp(share_db, _LOW_SHARE_DB, (0, 1)) * np.interp(level_db - level_db.max(), _LOW_FALL_DB, (0, 1))
    ring: Audio = low * counts.astype(np.float32)
    return ring


def _level_db(audio: Audio) -> NDArray[Any]:
    """Return the level of each frame over a window around it, (frames,)."""
    half = _WINDOWS[1] // 2
    total = np.pad(np.square(audio).sum(axis=0), (half + 1, half)).cumsum(dtype=np.float64)
    return np.asarray(10 * np.log10((total[2 * half + 1 :] - total[: -2 * half - 1]) / (2 * half) + _QUIET**2))


def _low_band(hit: Audio) -> Audio:
    """Return the lowest band of a hit (channels, frames), without any delay."""
    low, high = _LOW_HZ
    size = fast_size(hit.shape[1] + int(4 * RATE / low))
    hz = np.fft.rfftfreq(size, 1 / RATE)
    progress = np.clip(np.log(np.maximum(hz, 1) / low) / np.log(high / low), 0, 1)
    spectra = np.fft.rfft(hit, size) * np.cos(progress * np.pi / 2) ** 2
    return np.fft.irfft(spectra, size)[:, : hit.shape[1]].astype(np.float32)


def fast_size(frames: int) -> int:
    """Return the next size whose transforms are fast."""
    step = 1 << max(0, (frames - 1).bit_length() - 3)
    return -(-frames // step) * step


def _prominent(hit: Audio, window: int) -> Audio:
    """Return what stands out of a hit (channels, frames) that begins with its onset."""
    spectra = _stft(hit, window)
    is_long = spectra.shape[1] > 2 * _FIRST_WHOLE
    continued = _continued(spectra) if is_long else spectra
    level = np.log(np.square(np.abs(continued)).sum(axis=0) + _QUIET**2) / 2
    partials: Spectra = continued * _mask(level)
    if is_long:
        partials[:, :_FIRST_WHOLE] *= _share(partials, spectra, window)
    return _istft(partials, window, hit.shape[1])


def _mask(level: NDArray[Any]) -> Audio:
    """Return how far each cell (windows, bins) belongs to the partials, 0 to 1, by the cells' log level."""
    floor = _averaged(level, _NEIGHBOURS)
    # Once more, without what stands out: a few strong partials would raise the floor.
    floor = _averaged(np.minimum(level, floor + _OUTSTANDING), _NEIGHBOURS)
    prominence = _averaged(level.T, _LASTING).T - floor
    mask = 1 / (1 + np.exp(-_STEEPNESS * (prominence - _PROMINENCE)))
    widened = mask.copy()
    for reach in range(1, _LOBE + 1):
        np.maximum(widened[:, reach:], mask[:, :-reach], out=widened[:, reach:])
        np.maximum(widened[:, :-reach], mask[:, reach:], out=widened[:, :-reach])
    return np.asarray(widened, np.float32)


def _averaged(level: NDArray[Any], reach: int) -> NDArray[Any]:
    """Return the mean of `reach` values on either side and the value itself, along the last axis."""
    padded = np.pad(level, ((0, 0), (reach + 1, reach)), mode="edge")
    total = padded.cumsum(axis=1, dtype=np.float64)
    span = 2 * reach + 1
    mean: NDArray[Any] = (total[:, span:] - total[:, :-span]) / span
    return mean


def _continued(spectra: Spectra) -> Spectra:
    """Return spectra whose first windows, which begin before the hit, are the next ones continued backwards."""
    before = spectra[:, _FIRST_WHOLE : _FIRST_WHOLE + 3]
    after = spectra[:, _FIRST_WHOLE + 1 : _FIRST_WHOLE + 4]
    pole = (after * before.conj()).sum(axis=1) / (np.square(np.abs(before)).sum(axis=1) + _QUIET**2)
    size = np.abs(pole)
    pole = np.where(size > _QUIET, pole / np.maximum(size, _QUIET), 1) * np.clip(size, *_POLE)
    continued = spectra.copy()
    continued[:, 0] = 0
    for i in range(_FIRST_WHOLE - 1, 0, -1):
        continued[:, i] = continued[:, i + 1] / pole
    return continued


def _share(partials: Spectra, spectra: Spectra, window: int) -> Audio:
    """Return how much of the continued `partials` the hit's own `spectra` have, 0 to 1, (channels, 1, bins)."""
    begun = _stft(_istft(partials, window, 2 * window), window)[:, : _FIRST_WHOLE + 1]
    along = (spectra[:, : _FIRST_WHOLE + 1] * begun.conj()).real.sum(axis=1, keepdims=True)
    share = along / (np.square(np.abs(begun)).sum(axis=1, keepdims=True) + _QUIET**2)
    return np.asarray(np.clip(share, 0, 1), np.float32)


def _hann(window: int) -> Audio:
    return np.hanning(window + 1)[:-1].astype(np.float32)


def _stft(audio: Audio, window: int) -> Spectra:
    """Return the spectra of windows from one that ends where `audio` (channels, frames) begins."""
    hop = window // _OVERLAP
    padded = np.pad(audio, ((0, 0), (window, window + -audio.shape[1] % hop)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)[:, ::hop]
    return np.fft.rfft(windows * _hann(window)).astype(np.complex64)


def _istft(spectra: Spectra, window: int, frames: int) -> Audio:
    """Return the audio (channels, frames) of `_stft`."""
    hop, (channels, count, _) = window // _OVERLAP, spectra.shape
    # The squares of the overlapping windows add up to 1.5.
    parts = (np.fft.irfft(spectra) * (_hann(window) / 1.5)).astype(np.float32)
    parts = parts.reshape(channels, count, _OVERLAP, hop)
    joined = np.zeros((channels, count + _OVERLAP - 1, hop), np.float32)
    for i in range(_OVERLAP):
        joined[:, i : i + count] += parts[:, :, i]
    return joined.reshape(channels, -1)[:, window : window + frames]

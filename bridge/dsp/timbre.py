"""The timbre of a stroke over time: its level in bands, and a filter that brings one timbre to another's.

Levels are compared and interpolated in decibels, in bands that are equally wide in mel, at times that lie ever farther
apart after the onset. So an equalizer that changes slowly does what a harder stroke does: partials and noise get
louder or softer, and fall faster or slower, and no partial moves.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp.mel import band_points, to_mel, triangles
from ghostnote.bridge.dsp.onset import onset_frame
from ghostnote.bridge.dsp.velocity import onset_power

Audio = NDArray[np.float32]
Timbre = NDArray[np.float64]
"""(BANDS, KNOTS) levels in dB."""

BANDS: Final = 48
_HZ: Final = (20.0, 20_000.0)
_HOP_SECONDS: Final = 512 / 44_100
"""Windows are twice as long and overlap by half."""
_LONGEST_SECONDS: Final = 10.0
_STEP: Final = 1.3
"""Each time lies so many times as far after the onset as the one before."""
_AUDIBLE_DB: Final = 60.0
"""What lies farther under the loudest cell counts as if it did not."""
_LIMIT_DB: Final = 24.0
_QUIET: Final = 1e-14


def _knots() -> NDArray[np.int64]:
    count = int(np.log(_LONGEST_SECONDS / _HOP_SECONDS) / np.log(_STEP))
    return np.unique(np.concatenate([[0], np.round(_STEP ** np.arange(count + 1))])).astype(np.int64)


_KNOTS: Final = _knots()
"""Windows at which the timbre is taken; the first lies around the onset."""
KNOTS: Final = len(_KNOTS)


def timbre_of(audio: Audio, rate: int) -> Timbre:
    """Return the timbre of a stroke (channels, frames) at `rate` Hz, as its own level in each cell.

    What is inaudible beside the loudest cell counts as `_AUDIBLE_DB` below it, so that noise is not compared.
    """
    hop = _hop(rate)
    power = np.square(np.abs(_stft(audio[:, onset_frame(audio) :], hop))).sum(axis=0) @ _bank(rate).T
    # Cells between the midpoints of the knots; after its end a stroke is as silent as it can be.
    edges = np.concatenate([[0], (_KNOTS[:-1] + _KNOTS[1:] + 1) // 2, [_KNOTS[-1] + 1]])
    total = np.pad(power, ((1, max(0, edges[-1] - len(power))), (0, 0))).cumsum(axis=0, dtype=np.float64)[edges]
    level = 10 * np.log10(np.diff(total, axis=0).T / np.diff(edges) + _QUIET)
    return np.asarray(np.maximum(level, level.max() - _AUDIBLE_DB))


def difference_db(a: Timbre, b: Timbre) -> float:
    """Return how far two timbres lie apart beside a difference in level, in dB: the mean over what is audible."""
    audible = (a > a.min()) | (b > b.min())
    apart = (b - a)[audible]
    return float(np.abs(apart - np.median(apart)).mean()) if apart.size else 0.0


def filtered(stroke: Audio, rate: int, gain_db: Timbre) -> Audio:
    """Return a stroke (channels, frames) at `rate` Hz through a filter of these gains (BANDS, KNOTS).

    It is as loud as before in the 0.1 s from its onset. What is before the onset stays.
    """
    onset, hop = onset_frame(stroke), _hop(rate)
    hit = stroke[:, onset:]
    spectra = _stft(hit, hop)
    frames = np.arange(spectra.shape[1])
    by_time = np.stack([np.interp(frames, _KNOTS, row) for row in np.clip(gain_db, -_LIMIT_DB, _LIMIT_DB)], axis=1)
    gain = np.exp((np.log(10) / 20) * (by_time @ _shares(rate))).astype(np.float32)
    changed = _istft(spectra * gain, hop, hit.shape[1])
    changed *= np.float32(np.sqrt(onset_power(hit, rate) / max(onset_power(changed, rate), _QUIET)))
    return np.concatenate([stroke[:, :onset], changed], axis=1)


def _hop(rate: int) -> int:
    return round(_HOP_SECONDS * rate)


@cache
def _bank(rate: int) -> NDArray[np.float64]:
    """Return the triangular weights of each band, (BANDS, bins)."""
    return triangles(_bins_mel(rate), band_points(*_HZ, BANDS))


@cache
def _shares(rate: int) -> NDArray[np.float64]:
    """Return how much of each band's gain each bin gets, (BANDS, bins): linear between the bands' centres."""
    mel, centres = _bins_mel(rate), band_points(*_HZ, BANDS)[1:-1]
    return np.stack([np.interp(mel, centres, row) for row in np.eye(BANDS)])


def _bins_mel(rate: int) -> NDArray[np.float64]:
    return to_mel(np.fft.rfftfreq(2 * _hop(rate), 1 / rate))


@cache
def _sine(hop: int) -> Audio:
    return np.asarray(np.sin((np.arange(2 * hop) + 0.5) * (np.pi / (2 * hop))), np.float32)


def _stft(audio: Audio, hop: int) -> NDArray[np.complex64]:
    """Return the spectra (channels, windows, bins) of windows, the first around the first frame."""
    padded = np.pad(audio, ((0, 0), (hop, 2 * hop + -audio.shape[1] % hop)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop, axis=1)[:, ::hop]
    return np.fft.rfft(windows * _sine(hop)).astype(np.complex64)


def _istft(spectra: NDArray[Any], hop: int, frames: int) -> Audio:
    """Return the audio (channels, frames) of `_stft`."""
    parts = np.fft.irfft(spectra, 2 * hop).astype(np.float32) * _sine(hop)
    channels, count, _ = parts.shape
    joined = np.zeros((channels, count + 1, hop), np.float32)
    joined[:, :-1] += parts[:, :, :hop]
    joined[:, 1:] += parts[:, :, hop:]
    return joined.reshape(channels, -1)[:, hop : hop + frames]

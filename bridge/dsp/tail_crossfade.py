"""The tail of a hit that is longer than the model's: the original's, matched in spectrum and crossfaded."""

from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostnote.bridge.dsp import block_filter
from ghostnote.bridge.dsp.stereo_image import balance_sides, match_image, turned_apart

Audio = NDArray[np.float32]
Spectra = NDArray[np.complex64]
"""(channels, windows, bins)."""

_UNRELIABLE_FRAMES: Final = 64
"""The model's last frames fade by themselves and are not used."""
_START_SHARE: Final = 0.25
"""The crossfade starts after this share of the stroke. The model renders the partials of a cymbal as noise; to
change at once to the original's is an audible seam, even at equal level."""
_MATCH_FRAMES: Final = 12_288
"""The tail is matched to this many last frames of the stroke."""
_MATCH_BANDS: Final = 24
_MAX_BOOST_DB: Final = 6.0
_STRONG_DB, _WEAK_DB = -20.0, -40.0
"""Bands down to the first level, relative to the strongest, may be boosted in full; below the second only as all:
in a weak band, as of a room's rumble, the stroke has little but the model's noise, which must not raise the tail."""
_MAX_CUT_DB: Final = 12.0
_LOWEST_HZ_SHARE: Final = 1 / 512
_FFT_MULTIPLE: Final = 16_384
"""Transforms have a multiple of this size, which is fast."""

_MAX_ANGLE: Final = 2.4048
"""Radians: the first zero of J0, where the two sides are uncorrelated."""

_HOP_FRAMES: Final = 2048
"""Windows are two hops long, 93 ms at the model's rate: long enough to separate partials."""
_WINDOW: Final = np.sin(np.pi * (np.arange(2 * _HOP_FRAMES) + 0.5) / (2 * _HOP_FRAMES)).astype(np.float32)
_FALL_POWER: Final = 1.5
"""The stroke fades as this power of a cosine: its noise between the partials then falls evenly in dB."""
_SMOOTHED_BINS: Final = 8
_SMOOTHED_WINDOWS: Final = 1
"""How many neighbours on either side the correlation of stroke and tail is measured over."""
_TAPS: Final = 4096
"""Of the filter that matches a tail: a resolution of 20 Hz. Half of them are ahead of a frame."""
_BLOCK_FRAMES: Final = 16_384
_MOST_CANCELLED: Final = -0.7
"""The most cancellation, as a share of their power, that the crossfade makes up for."""
_QUIET: Final = 1e-12


class Tail:
    """A hit whose tail is matched to many strokes."""

    def __init__(self, hit: Audio) -> None:
        """Take a hit (channels, frames)."""
        self.hit = hit

    @cached_property
    def spectra(self) -> block_filter.Spectra:
        """Of its blocks; they are transformed once."""
        begun = np.pad(self.hit, ((0, 0), (_TAPS // 2 - 1, 0)))
        return block_filter.block_spectra(begun, self.hit.shape[1], taps=_TAPS, block=_BLOCK_FRAMES)

    @property
    def nbytes(self) -> int:
        """The memory that the spectra take, once there are any."""
        return self.spectra.nbytes if "spectra" in self.__dict__ else 0


def with_body(varied: Audio, head: Audio, tail: Tail, width: float) -> Audio:
    """Return a varied head (channels, frames) with its image, and as long as its `tail`; `varied` may be changed."""
    body = tail.hit
    if len(body) == 2:
        varied = match_image(varied, head, width)
    elif len(varied) == 2:
        varied = balance_sides(varied)
    if body.shape[1] > head.shape[1]:
        whole = attach_tail(varied, tail, widened=width > 0)
        # A dry attack and a wide room have an image each, and the tail brings the original's: set it once more.
        return match_image(whole, body, width) if len(body) == 2 else whole
    return varied[:, : body.shape[1]]


def attach_tail(varied: Audio, tail: Tail, *, widened: bool = False) -> Audio:
    """Return `varied` (channels, frames) crossfaded into the longer hit of `tail`.

    The tail gets the spectrum and level of the stroke's end, so that a softer stroke rings on softer. The crossfade
    keeps the level at each frequency, whatever the correlation of the two there. The tail of a `widened` stroke is
    as wide as the stroke; otherwise it keeps the original's image.
    """
    end = varied.shape[1] - _UNRELIABLE_FRAMES
    matched = _match_spectrum(tail, varied[:, :end], widened=widened)
    return np.concatenate([_crossfade(varied[:, :end], matched[:, :end]), matched[:, end:]], axis=1)


def _match_spectrum(tail: Tail, stroke: Audio, *, widened: bool) -> Audio:
    """Return the tail's hit filtered to the spectrum of the end of `stroke`, band by band."""
    hit, end = np.broadcast_to(tail.hit, (len(stroke), tail.hit.shape[1])), stroke.shape[1]
    frames = min(_MATCH_FRAMES, end)
    window = np.hanning(frames).astype(np.float32)
    ends = [x[:, end - frames : end] * window for x in (stroke, hit)]
    places, gain_db = _band_gains(*ends)
    if not widened:
        curve_db = np.interp(np.linspace(0, 1, _TAPS // 2 + 1), places, gain_db)
        taps = np.roll(np.fft.irfft(10 ** (curve_db / 20)), _TAPS // 2) * np.hanning(_TAPS + 1)[:-1]
        return block_filter.filter_blocks(tail.spectra, taps.astype(np.float32))[:, : hit.shape[1]]
    # Longer than the hit, so that the filter's ringing does not wrap around.
    size = -(-(hit.shape[1] + frames) // _FFT_MULTIPLE) * _FFT_MULTIPLE
    curve_db = np.interp(np.linspace(0, 1, size // 2 + 1), places, gain_db)
    spectra = np.fft.rfft(hit, size) * (10 ** (curve_db / 20)).astype(np.float32)
    spectra *= turned_apart(size, _angle(*map(_correlation, ends)))
    return np.fft.irfft(spectra, size)[:, : hit.shape[1]].astype(np.float32)


def _band_gains(stroke: Audio, hit: Audio) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the middles of bands as shares of the spectrum, and the gains in dB that bring `hit` to `stroke`."""
    powers = [(np.abs(np.fft.rfft(x)) ** 2).sum(axis=0) for x in (stroke, hit)]
    bins = len(powers[0])
    edges = np.unique(np.geomspace(bins * _LOWEST_HZ_SHARE, bins, _MATCH_BANDS + 1).astype(int))
    starts = np.concatenate([[0], edges[:-1]])
    target, current = (np.add.reduceat(power, starts) + _QUIET for power in powers)
    all_db = 10 * np.log10(target.sum() / current.sum())
    strength = np.interp(10 * np.log10(current / current.max()), (_WEAK_DB, _STRONG_DB), (0, 1))
    tilt_db = (10 * np.log10(target / current) - all_db).clip(max=strength * _MAX_BOOST_DB)
    return (starts + np.append(starts[1:], bins)) / 2 / bins, (all_db + tilt_db).clip(-_MAX_CUT_DB, _MAX_BOOST_DB)


def _correlation(pair: NDArray[Any]) -> float:
    """Return the correlation of two sides without DC."""
    left, right = pair
    return float((left * right).sum() / (np.sqrt(np.square(pair).sum(axis=1).prod()) + _QUIET))


def _angle(target: float, current: float) -> float:
    """Return the radians by which two sides are turned apart for their correlation to go from `current` to `target`."""
    angles = np.linspace(0, _MAX_ANGLE, 64)
    # Over whole waves this is the Bessel function J0.
    correlation = np.cos(angles[:, None] * np.sin(np.linspace(0, 2 * np.pi, 64, endpoint=False))).mean(axis=1)
    return float(np.interp(-target / max(current, _QUIET), -correlation, angles))


def _crossfade(stroke: Audio, tail: Audio) -> Audio:
    """Return `stroke` crossfaded into `tail`, (channels, frames) each."""
    frames = stroke.shape[1]
    begin, finish = _START_SHARE * frames, frames - _HOP_FRAMES
    of_stroke, of_tail = _stft(stroke), _stft(tail)
    centres = np.arange(of_stroke.shape[1]) * _HOP_FRAMES
    progress = np.clip((centres - begin) / (finish - begin), 0, 1)[:, None]
    fall = (np.cos(progress * np.pi / 2) ** _FALL_POWER).astype(np.float32)
    rise = np.sqrt(1 - fall**2)
    # The power of a sum is that of its parts and twice their cross power, by which the level would bulge or dip.
    apart = fall**2 * _smoothed(_cross_power(of_stroke, of_stroke))
    apart += rise**2 * _smoothed(_cross_power(of_tail, of_tail))
    shared = 2 * fall * rise * _smoothed(_cross_power(of_stroke, of_tail))
    level = np.sqrt(1 + (shared / (apart + _QUIET)).clip(min=_MOST_CANCELLED))
    return _istft((fall * of_stroke + rise * of_tail) / level)[:, :frames]


def _stft(audio: Audio) -> Spectra:
    """Return the spectra of half-overlapping windows, the first and the last centred on the ends or beyond."""
    hops = -(-audio.shape[1] // _HOP_FRAMES)
    padded = np.pad(audio, ((0, 0), (_HOP_FRAMES, (hops + 1) * _HOP_FRAMES - audio.shape[1])))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOP_FRAMES, axis=1)[:, ::_HOP_FRAMES]
    return np.fft.rfft(windows * _WINDOW).astype(np.complex64)


def _istft(spectra: Spectra) -> Audio:
    """Return the audio (channels, frames) of `_stft`, from the first window's centre to the last one's."""
    windows = np.fft.irfft(spectra) * _WINDOW
    early, late = np.split(windows, 2, axis=2)
    joined = late[:, :-1] + early[:, 1:]
    return joined.reshape(len(joined), -1).astype(np.float32)


def _cross_power(of_stroke: Spectra, of_tail: Spectra) -> Audio:
    """Return the cross power (windows, bins) of two signals over all channels."""
    return np.asarray((of_stroke * of_tail.conj()).real.sum(axis=0), np.float32)


def _smoothed(power: Audio) -> Audio:
    """Return power (windows, bins) averaged over neighbouring windows and bins."""
    return _moving_average(_moving_average(power.T, _SMOOTHED_WINDOWS).T, _SMOOTHED_BINS)


def _moving_average(power: Audio, reach: int) -> Audio:
    """Return the mean over `reach` values on either side and the value itself, along the last axis."""
    padded = np.concatenate([power[:, :1]] * (reach + 1) + [power] + [power[:, -1:]] * reach, axis=1)
    # In double precision: a running sum from loud to quiet would lose the quiet in its rounding.
    total = padded.cumsum(axis=1, dtype=np.float64)
    span = 2 * reach + 1
    return np.asarray((total[:, span:] - total[:, :-span]) / span, np.float32)

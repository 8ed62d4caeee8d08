"""Distances between hits, and descriptions of them: pure functions over batches of hits on any device.

Everything is level-free unless it is named for level: hits are scaled to the same RMS of their first 200 ms
before they are compared. Shapes are (hits, HIT_FRAMES) at RATE; results are (hits,).
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.dsp.attack import ATTACK_FRAMES
from ghostnote.bridge.dsp.mel import band_points, mel_filters, to_hz
from ghostnote.models.dsp.mdct import RATE

MELS: Final = 64
HOP_FRAMES: Final = 256
_WINDOW: Final = 1024
_MEL_RANGE_HZ: Final = (40.0, 16_000.0)
_BODY_FRAMES: Final = 8820
_ATTACK_FRAMES: Final = 8
_LOW_HZ, _HIGH_HZ = 300.0, 3000.0
_FLOOR: Final = 1e-6
_AUDIBLE_DB: Final = -50.0
_LAG_FRAMES: Final = 132
_LAG_WINDOW: Final = 6000
_CORRELATED_FRAMES: Final = 4410
_STRIKE_FRAMES: Final = 220
_LONGEST_T20_FRAMES: Final = 30_000
_TINY: Final = 1e-12

SPECTRAL: Final = ("lmd", "lmd_low", "lmd_mid", "lmd_high", "lmd_attack", "lmd_later")
"""Log-mel distances in dB: over all, below 300 Hz, between, above 3 kHz, in the first 46 ms, later."""
DEVIATIONS: Final = ("centroid_percent", "t20_percent", "attack_db", "level_db", "onset_ms")
"""What differs between two hits with a sign: the second over the first."""
BALANCE: Final = ("low_db", "mid_db", "high_db")
"""Mean differences of the log-mel spectrograms with their sign, in the bands of SPECTRAL."""
MEASURES: Final = (*SPECTRAL, "correlation", *DEVIATIONS, *BALANCE)
"""Everything that `compare` returns."""


@dataclass(frozen=True)
class Description:
    """Descriptors of each hit alone; every field is (hits,)."""

    centroid_hz: Tensor
    """Centre of the power spectrum of the first 200 ms."""
    t20_seconds: Tensor
    """Time in which the energy still to come falls from -5 to -25 dB; NaN where it does not."""
    peak_db: Tensor
    """The largest sample."""
    level_db: Tensor
    """RMS of the first 60 ms."""
    onset_ms: Tensor
    """When the hit first comes within 20 dB of its peak."""
    attack_db: Tensor
    """The energy of the first 5 ms from there, beside that of the first 100 ms."""


def mel_centres_hz() -> Tensor:
    """Return the centre frequency of each mel band, (MELS,)."""
    return torch.from_numpy(_mel_points()[1:-1]).float()


def at_level_of(reference: Tensor, x: Tensor) -> Tensor:
    """Return hits scaled to the level of their references: the RMS of the first 60 ms."""
    wanted, own = (hits[:, :ATTACK_FRAMES].square().mean(1, keepdim=True) for hits in (reference, x))
    return x * (wanted / own.clamp_min(_TINY)).sqrt()


def log_mel(x: Tensor) -> Tensor:
    """Return power spectrograms in mel bands (hits, MELS, frames) in linear power, of hits at one level."""
    return _mel_power(_levelled(x))


def decibels(power: Tensor, top: Tensor) -> Tensor:
    """Return `power` (hits, …) in dB below `top` (hits,), floored at -60 dB."""
    return 10 * (power / top.clamp_min(_TINY).reshape(-1, *(1,) * (power.ndim - 1)) + _FLOOR).log10()


def align(a: Tensor, b: Tensor) -> Tensor:
    """Return `b` moved by up to 3 ms to where it correlates best with `a`."""
    size = 16_384
    spectra = torch.fft.rfft(a[:, :_LAG_WINDOW], size) * torch.fft.rfft(b[:, :_LAG_WINDOW], size).conj()
    correlation = torch.fft.irfft(spectra, size)
    lags = torch.cat([torch.arange(_LAG_FRAMES + 1), torch.arange(-_LAG_FRAMES, 0)]).to(a.device)
    best = lags[correlation[:, lags].argmax(1)]
    source = torch.arange(b.shape[1], device=b.device) - best[:, None]
    inside = (source >= 0) & (source < b.shape[1])
    return b.gather(1, source.clamp(0, b.shape[1] - 1)) * inside


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Return the normalised correlation of the first 100 ms of aligned waveforms; 1 is the same waveform."""
    return F.cosine_similarity(a[:, :_CORRELATED_FRAMES], b[:, :_CORRELATED_FRAMES], dim=1, eps=1e-10)


def spectral_measures(power_a: Tensor, power_b: Tensor) -> dict[str, Tensor]:
    """Return how two batches of `log_mel` differ, keyed by SPECTRAL and BALANCE.

    A cell counts where either hit is above -50 dB of the louder one's maximum; NaN where a part has none.
    """
    difference, audible = audible_difference(power_a, power_b)
    parts = _parts(power_a)
    sums, counts = (torch.einsum("bms,pms->pb", x, parts) for x in (difference.abs(), audible))
    signed = torch.einsum("bms,pms->pb", difference, parts[1:4])
    measures = torch.cat([sums / counts, signed / counts[1:4]])
    return dict(zip((*SPECTRAL, *BALANCE), measures, strict=True))


def audible_difference(power_a: Tensor, power_b: Tensor) -> tuple[Tensor, Tensor]:
    """Return `power_b` over `power_a` in dB where either is audible and 0 elsewhere, and that mask."""
    top = torch.maximum(power_a.amax((1, 2)), power_b.amax((1, 2)))
    a, b = decibels(power_a, top), decibels(power_b, top)
    audible = ((a > _AUDIBLE_DB) | (b > _AUDIBLE_DB)).float()
    return (b - a) * audible, audible


def describe(x: Tensor) -> Description:
    """Return the descriptors of each hit."""
    head = x[:, :_BODY_FRAMES] * _body_window(x.device)
    power = torch.fft.rfft(head, 16_384).abs().square()
    hz = torch.arange(power.shape[1], device=x.device) * (RATE / 16_384)
    power = power * (hz > 20)
    level = x.abs()
    peak = level.amax(1)
    onset = (level >= 0.1 * peak[:, None]).float().argmax(1)
    return Description(
        (power * hz).sum(1) / power.sum(1).clamp_min(_TINY),
        _t20(x),
        20 * (peak + 1e-9).log10(),
        10 * (x[:, :ATTACK_FRAMES].square().mean(1) + _TINY).log10(),
        onset * (1000 / RATE),
        _attack_db(x, onset),
    )


def _attack_db(x: Tensor, onset: Tensor) -> Tensor:
    energy = F.pad(x.double().square().cumsum(1), (1, _CORRELATED_FRAMES), mode="replicate")
    energy[:, 0] = 0
    start, short, long = (
        energy.gather(1, onset[:, None] + frames)[:, 0] for frames in (0, _STRIKE_FRAMES, _CORRELATED_FRAMES)
    )
    return 10 * ((short - start + _TINY) / (long - start + _TINY)).log10().to(x.dtype)


def deviations(a: Description, b: Description) -> dict[str, Tensor]:
    """Return by how much `b` differs from `a` with its sign, keyed by DEVIATIONS."""
    return {
        "centroid_percent": 100 * (b.centroid_hz / a.centroid_hz).log(),
        "t20_percent": 100 * (b.t20_seconds / a.t20_seconds).log(),
        "attack_db": b.attack_db - a.attack_db,
        "level_db": b.peak_db - a.peak_db,
        "onset_ms": b.onset_ms - a.onset_ms,
    }


def compare(a: Tensor, b: Tensor) -> dict[str, Tensor]:
    """Return how each hit of `b` differs from that of `a`, keyed by MEASURES; `b` is aligned first."""
    moved = align(a, b)
    return {
        **spectral_measures(log_mel(a), log_mel(moved)),
        "correlation": correlation(a, moved),
        **deviations(describe(a), describe(b)),
    }


def distances_to(power: Tensor, gallery: Tensor) -> Tensor:
    """Return the log-mel distance of each of `power` (queries, …) to each of `gallery`, (queries, gallery)."""
    rows = []
    for query in power:
        difference, audible = audible_difference(query[None], gallery)
        rows.append(difference.abs().sum((1, 2)) / audible.sum((1, 2)))
    return torch.stack(rows)


def _levelled(x: Tensor) -> Tensor:
    rms = x[:, :_BODY_FRAMES].square().mean(1, keepdim=True).sqrt()
    return x / rms.clamp_min(_TINY)


def _mel_power(x: Tensor) -> Tensor:
    frames = F.pad(x, (_WINDOW // 2, _WINDOW)).unfold(1, _WINDOW, HOP_FRAMES)[:, :-1]
    power: Tensor = torch.fft.rfft(frames * _window(x.device)).abs().square()
    return (power @ _filters(x.device).t()).transpose(1, 2)


def _t20(x: Tensor) -> Tensor:
    left = x.square().flip(1).cumsum(1).flip(1)
    decay_db = 10 * (left / left[:, :1].clamp_min(_TINY) + _TINY).log10()
    starts, ends = ((decay_db < limit).float().argmax(1) for limit in (-5.0, -25.0))
    ended = (decay_db < -25).any(1) & (ends < _LONGEST_T20_FRAMES) & (ends > starts)
    seconds = (ends - starts) / RATE
    return torch.where(ended, seconds, torch.full_like(seconds, float("nan")))


def _parts(power: Tensor) -> Tensor:
    """Return which cells belong to each of SPECTRAL, (parts, MELS, frames)."""
    hz = mel_centres_hz().to(power.device)[:, None]
    late = torch.arange(power.shape[2], device=power.device)[None] >= _ATTACK_FRAMES
    everywhere = torch.ones_like(hz, dtype=torch.bool) | late
    low, high = (hz < _LOW_HZ) & everywhere, (hz >= _HIGH_HZ) & everywhere
    return torch.stack([everywhere, low, ~low & ~high, high, ~late & everywhere, late & everywhere]).float()


def _mel_points() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return to_hz(band_points(*_MEL_RANGE_HZ, MELS))


@cache
def _filters(device: torch.device) -> Tensor:
    """Return triangular filters (MELS, bins)."""
    bank = mel_filters(np.fft.rfftfreq(_WINDOW, 1 / RATE), _mel_points())
    return torch.from_numpy(bank).float().to(device)


@cache
def _window(device: torch.device) -> Tensor:
    return torch.hann_window(_WINDOW, periodic=False, device=device)


@cache
def _body_window(device: torch.device) -> Tensor:
    """Return a window of ones whose last fifth fades out."""
    fade = torch.hann_window(3528, periodic=False)[1764:]
    return torch.cat([torch.ones(_BODY_FRAMES - len(fade)), fade]).to(device)

"""Augmentation on the training device: the hits of a pair get the same change, which keeps their relation."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ghostnote.models.dsp.mdct import RATE


@dataclass(frozen=True)
class Augmentation:
    """How far a drum may depart from its recording."""

    share: float = 0.8
    """Share of the examples that are changed at all."""
    semitones: float = 2.5
    """Standard deviation of the pitch change."""
    limit_semitones: float = 6.0
    """Largest pitch change."""
    eq_db: float = 4.0
    """Standard deviation of the gain of each of the equaliser's bells and of its tilt over the spectrum."""
    damping: float = 12.0
    """Largest added decay, in 1/seconds."""


def augment(x: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Change the pitch, spectrum, decay and polarity of `x` (batch, hits, frames), each row as one drum."""
    batch, _, frames = x.shape

    def uniform() -> Tensor:
        return torch.rand(batch, 1, 1, generator=generator, device=x.device)

    def normal() -> Tensor:
        return torch.randn(batch, 1, 1, generator=generator, device=x.device)

    changed = (uniform() < settings.share).to(x.dtype)
    limit = settings.limit_semitones
    ratio = 2 ** (changed * (settings.semitones * normal()).clamp(-limit, limit) / 12)
    log_f = (torch.arange(frames // 2, device=x.device) + 1).log2()[None, None] / math.log2(frames // 2)
    gain_db = settings.eq_db * normal() * 2 * (log_f - 0.5)
    for _ in range(3):
        bell = (-0.5 * ((log_f - 0.3 - 0.7 * uniform()) / 0.06).square()).exp()
        gain_db = gain_db + settings.eq_db * normal() * bell
    y = resample(x, ratio, 10 ** (changed * gain_db / 20))
    seconds = torch.arange(frames, device=x.device) / RATE
    polarity = (uniform() < 0.5).to(x.dtype) * 2 - 1
    return y * polarity * (-changed * settings.damping * uniform().square() * seconds).exp()


def resample(x: Tensor, ratio: Tensor, gain: Tensor) -> Tensor:
    """Play `x` (batch, hits, frames) `ratio` (batch, 1, 1) times as fast through a spectral gain.

    `gain` is (batch, 1, frames/2), over the bins from 0 Hz. The spectrum is evaluated at the new times by a
    chirp z-transform (Rabiner, Schafer & Rader 1969): exact for a band-limited signal, and one batched FFT
    for all ratios. Bins that would land above Nyquist are dropped.
    """
    frames = x.shape[-1]
    bins = frames // 2
    k = torch.arange(bins, device=x.device, dtype=torch.float64)
    n = torch.arange(frames, device=x.device, dtype=torch.float64)
    # k·n = (k² + n² − (n − k)²)/2 turns the sum over bins into a convolution with a chirp.
    turn = ratio.double() * (math.pi / frames)

    def chirp(m: Tensor, sign: float) -> Tensor:
        angle = torch.remainder(sign * turn * m.square(), 2 * math.pi).float()
        return torch.polar(torch.ones_like(angle), angle)

    length = frames + bins
    spectrum = torch.fft.rfft(x)[..., :bins] * gain * (k < bins / ratio)
    spectrum = torch.cat([spectrum[..., :1], 2 * spectrum[..., 1:]], dim=-1)
    lags = torch.cat([n, k - bins])
    product = torch.fft.fft(spectrum * chirp(k, 1.0), length) * torch.fft.fft(chirp(lags, -1.0))
    y = (torch.fft.ifft(product)[..., :frames] * chirp(n, 1.0)).real / frames
    inside: Tensor = y * (n * ratio < frames)
    return inside

"""How far waveforms are from others by their spectra at several resolutions."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import torch
from torch import Tensor

RESOLUTIONS: Final = (256, 1024, 4096)
"""Frames of the windows; each moves by a quarter of its own."""
_FLOOR: Final = 1e-3
"""Added to magnitudes, of which a sine at full level has 1/2: what is 54 dB below that hardly counts."""


@cache
def _window(size: int, device: torch.device) -> Tensor:
    return torch.hann_window(size, device=device)


def magnitudes(x: Tensor, size: int) -> Tensor:
    """Return the magnitudes (batch, lines, windows) of waveforms (batch, frames), 1/2 for a sine at full level."""
    window = _window(size, x.device)
    spectrum = torch.stft(x.float(), size, size // 4, window=window, return_complex=True, pad_mode="constant")
    return spectrum.abs() / window.sum()


def spectral_loss(x: Tensor, target: Tensor, resolutions: Sequence[int] = RESOLUTIONS) -> Tensor:
    """Return the multi-resolution STFT loss () of waveforms (batch, frames) beside `target` (Yamamoto et al. 2020).

    At each resolution the norm of the difference over that of the target, and the mean difference of logarithms.
    """
    losses = []
    for size in resolutions:
        found, wanted = magnitudes(x, size), magnitudes(target, size)
        convergence = (found - wanted).norm() / wanted.norm().clamp_min(_FLOOR)
        losses.append(convergence + (_log(found) - _log(wanted)).abs().mean())
    return torch.stack(losses).mean()


def waveform_loss(x: Tensor, target: Tensor) -> Tensor:
    """Return the power of the difference of waveforms (batch, frames) over that of `target`, ()."""
    return (x - target).square().mean() / target.square().mean().clamp_min(_FLOOR**2)


def log_spectral_distance_db(x: Tensor, target: Tensor) -> Tensor:
    """Return the mean difference (batch,) in dB of the spectra of waveforms, over all resolutions of the loss."""
    gaps = [(_log(magnitudes(x, size)) - _log(magnitudes(target, size))).abs().mean((1, 2)) for size in RESOLUTIONS]
    return torch.stack(gaps).mean(0) * 20 / torch.log(torch.tensor(10.0))


def signal_to_noise_db(x: Tensor, target: Tensor) -> Tensor:
    """Return the power (batch,) of `target` over that of its difference from `x` (batch, frames), in dB."""
    noise = (x - target).square().sum(1).clamp_min(_FLOOR**2)
    return 10 * (target.square().sum(1).clamp_min(_FLOOR**2) / noise).log10()


def _log(magnitude: Tensor) -> Tensor:
    return (magnitude + _FLOOR).log()

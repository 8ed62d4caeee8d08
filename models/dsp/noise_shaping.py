"""Shaping noise by the fine spectrum of a drum, between the coarse bands of its envelope.

A drum's noise and partials keep their fine spectrum from stroke to stroke. Noise shaped by it is a better start for
diffusion than white noise, as its covariance is nearer to the data's (PriorGrad, Lee et al. 2022). The spectrum is
that of each band's coefficients over time, of the hit without its envelope.
"""

from functools import cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.models.dsp.decomposition import group_map, to_bands
from ghostnote.models.dsp.mdct import MDCT_FRAMES

LINES: Final = MDCT_FRAMES // 2 + 1
"""Lines of a band's spectrum, 1.35 Hz each."""
_SMOOTHING: Final = 9
_FLAT: Final = 4
_QUIET: Final = 1e-4


@cache
def _analysis(device: torch.device) -> Tensor:
    """Return the Fourier transform as a matrix (MDCT_FRAMES, 2·LINES): real parts, then imaginary ones."""
    lines = torch.fft.rfft(torch.eye(MDCT_FRAMES, dtype=torch.float64), norm="ortho")
    return torch.cat([lines.real, lines.imag], dim=1).float().to(device)


@cache
def _synthesis(device: torch.device) -> Tensor:
    """Return the inverse of `_analysis`, (2·LINES, MDCT_FRAMES)."""
    eye = torch.eye(LINES, dtype=torch.complex128)
    rows = [torch.fft.irfft(part, n=MDCT_FRAMES, norm="ortho") for part in (eye, 1j * eye)]
    return torch.cat(rows).float().to(device)


def line_power(q: Tensor) -> Tensor:
    """Return the power spectra (batch, BANDS, LINES) of coefficients over their scale (batch, BANDS, MDCT_FRAMES)."""
    real, imaginary = (q @ _analysis(q.device)).square().split(LINES, dim=2)
    power: Tensor = real + imaginary
    return power


def spectral_gain_of(power: Tensor, present: Tensor) -> Tensor:
    """Return the gains (batch, BANDS, LINES) that give noise the spectrum `power`; 1 where `present` (batch,) is 0.

    Their mean square over a band group is 1.
    """
    reach = _SMOOTHING // 2
    smooth = F.avg_pool1d(F.pad(power, (reach, reach), mode="reflect"), _SMOOTHING, 1)
    groups = group_map(power.device)
    mean = (groups / groups.sum(1, keepdim=True)) @ _mean(smooth)
    gain = (smooth / (to_bands(mean) + _QUIET)).sqrt()
    return torch.where(present[:, None, None] > 0, gain, torch.ones_like(gain))


def with_contrast(gain: Tensor, spectral_contrast: Tensor) -> Tensor:
    """Return `gain` (batch, BANDS, LINES) to the power of 1 + `spectral_contrast` (GROUPS,), normalised as before.

    Smoothing has flattened the lines of partials; the power restores their contrast.
    """
    groups = group_map(gain.device)
    power = (gain.clamp_min(_QUIET).log() * (2 * (1 + groups.t() @ spectral_contrast[:, None]))).exp()
    mean = (groups / groups.sum(1, keepdim=True)) @ _mean(power)
    return (power / to_bands(mean)).sqrt()


def shape_noise(noise: Tensor, gain: Tensor) -> Tensor:
    """Return white noise (batch, BANDS, MDCT_FRAMES) shaped by `gain` (batch, BANDS, LINES)."""
    return (noise @ _analysis(noise.device) * torch.cat([gain, gain], dim=2)) @ _synthesis(noise.device)


@cache
def _lines(device: torch.device) -> Tensor:
    """Return the orthonormal Fourier basis (MDCT_FRAMES, MDCT_FRAMES): cosines, then sines."""
    frame = torch.arange(MDCT_FRAMES, dtype=torch.float64)
    angles = torch.outer(frame[:LINES], frame) * (2 * torch.pi / MDCT_FRAMES)
    waves = torch.cat([angles.cos(), angles[1:-1].sin()])
    basis: Tensor = (waves / waves.norm(dim=1, keepdim=True)).float().to(device)
    return basis


def from_lines(noise: Tensor, gain: Tensor) -> Tensor:
    """Return the noise whose lines are `noise` (batch, BANDS, MDCT_FRAMES), shaped by `gain` (batch, BANDS, LINES).

    White noise has white lines, so this is `shape_noise` at half the cost.
    """
    return (noise * torch.cat([gain, gain[:, :, 1:-1]], dim=2)) @ _lines(noise.device)


def to_lines(noise: Tensor) -> Tensor:
    """Return the lines (batch, BANDS, MDCT_FRAMES) of noise: the inverse of `from_lines` with a gain of 1."""
    return noise @ _lines(noise.device).t()


def tonality(power: Tensor) -> Tensor:
    """Return the log spectral flatness of each band group, (batch, GROUPS): near 0 for noise, lower for partials.

    That of `line_power` (Gray & Markel 1974), averaged over the group's bands.
    """
    smooth = F.avg_pool1d(power[:, :, 1:], _FLAT)
    flatness = _mean((smooth + _QUIET).log()) - (_mean(smooth) + _QUIET).log()
    groups = group_map(power.device)
    return flatness[:, :, 0] @ (groups / groups.sum(1, keepdim=True)).t()


def _mean(x: Tensor) -> Tensor:
    """Return the mean over lines as (batch, BANDS, 1), by a product: ONNX Runtime is slow at means."""
    return x @ x.new_full((x.shape[2], 1), 1 / x.shape[2])

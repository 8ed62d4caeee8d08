"""The colour of noise: what a drum's spectrum has between the coarse bands of its envelope.

A stroke's noise and its partials stand in the same fine spectrum from stroke to stroke. Noise coloured so is a
better start for diffusion than white noise, as its covariance is nearer to the data's (PriorGrad, Lee et al.
2022). The spectrum is that of each band's coefficients over time, of the hit without its envelope.
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
    """Return the Fourier transform of MDCT_FRAMES values as a matrix, (MDCT_FRAMES, 2·LINES): real parts, then imaginary ones."""
    lines = torch.fft.rfft(torch.eye(MDCT_FRAMES, dtype=torch.float64), norm="ortho")
    return torch.cat([lines.real, lines.imag], dim=1).float().to(device)


@cache
def _synthesis(device: torch.device) -> Tensor:
    """Return the inverse of `_analysis`, (2·LINES, MDCT_FRAMES)."""
    eye = torch.eye(LINES, dtype=torch.complex128)
    rows = [torch.fft.irfft(part, n=MDCT_FRAMES, norm="ortho") for part in (eye, 1j * eye)]
    return torch.cat(rows).float().to(device)


def line_power(q: Tensor) -> Tensor:
    """Return the power spectra (batch, BANDS, LINES) of a hit's bands without their envelope, (batch, BANDS, MDCT_FRAMES)."""
    real, imaginary = (q @ _analysis(q.device)).square().split(LINES, dim=2)
    power: Tensor = real + imaginary
    return power


def spectral_gain_of(power: Tensor, present: Tensor) -> Tensor:
    """Return the gains (batch, BANDS, LINES) that colour noise as `line_power` found; 1 where `present` (batch,) is 0.

    Their mean square over a band group is 1.
    """
    reach = _SMOOTHING // 2
    smooth = F.avg_pool1d(F.pad(power, (reach, reach), mode="reflect"), _SMOOTHING, 1)
    groups = group_map(power.device)
    mean = (groups / groups.sum(1, keepdim=True)) @ _mean(smooth)
    gain = (smooth / (to_bands(mean) + _QUIET)).sqrt()
    return torch.where(present[:, None, None] > 0, gain, torch.ones_like(gain))


def with_contrast(gain: Tensor, spectral_contrast: Tensor) -> Tensor:
    """Return `gain` (batch, BANDS, LINES) to the power of 1 + `spectral_contrast` (GROUPS,), its mean square over a group 1.

    Smoothing has flattened the lines of partials; a power draws them out again.
    """
    groups = group_map(gain.device)
    power = (gain.clamp_min(_QUIET).log() * (2 * (1 + groups.t() @ spectral_contrast[:, None]))).exp()
    mean = (groups / groups.sum(1, keepdim=True)) @ _mean(power)
    return (power / to_bands(mean)).sqrt()


def shape_noise(noise: Tensor, gain: Tensor) -> Tensor:
    """Return white noise (batch, BANDS, MDCT_FRAMES) in the colour `gain` (batch, BANDS, LINES)."""
    return (noise @ _analysis(noise.device) * torch.cat([gain, gain], dim=2)) @ _synthesis(noise.device)


@cache
def _lines(device: torch.device) -> Tensor:
    """Return the orthonormal basis of cosines and sines, (MDCT_FRAMES, MDCT_FRAMES): lines 0..MDCT_FRAMES/2, then 1..MDCT_FRAMES/2 − 1."""
    step = torch.arange(MDCT_FRAMES, dtype=torch.float64)
    angles = torch.outer(step[:LINES], step) * (2 * torch.pi / MDCT_FRAMES)
    waves = torch.cat([angles.cos(), angles[1:-1].sin()])
    basis: Tensor = (waves / waves.norm(dim=1, keepdim=True)).float().to(device)
    return basis


def from_lines(noise: Tensor, gain: Tensor) -> Tensor:
    """Return in the colour `gain` (batch, BANDS, LINES) the noise whose lines are `noise` (batch, BANDS, MDCT_FRAMES).

    White noise has white lines: so it is `shape_noise` at half the cost.
    """
    return (noise * torch.cat([gain, gain[:, :, 1:-1]], dim=2)) @ _lines(noise.device)


def to_lines(noise: Tensor) -> Tensor:
    """Return the lines (batch, BANDS, MDCT_FRAMES) of noise (the same), `from_lines` undone where the gain is 1."""
    return noise @ _lines(noise.device).t()


def tonality(power: Tensor) -> Tensor:
    """Return how far each band group's lines are from flat, (batch, GROUPS): 0 for noise, less for partials.

    The log of the spectral flatness (Gray & Markel 1974) of `line_power`, averaged over the group's bands.
    """
    smooth = F.avg_pool1d(power[:, :, 1:], _FLAT)
    flatness = _mean((smooth + _QUIET).log()) - (_mean(smooth) + _QUIET).log()
    groups = group_map(power.device)
    return flatness[:, :, 0] @ (groups / groups.sum(1, keepdim=True)).t()


def _mean(x: Tensor) -> Tensor:
    """Return the mean over lines as (batch, BANDS, 1), by a product: ONNX Runtime is slow at means."""
    return x @ x.new_full((x.shape[2], 1), 1 / x.shape[2])

"""The diffusion process: v-diffusion's cosine path and DDPM's linear-β table as one family of t.

A noisy sample is z = alpha·x + sigma·eps with alpha² + sigma² = 1, so it is a rotation by the angle πt/2 and
any variance-preserving schedule is a choice of times t in [0, 1].
"""

import math

import torch
from torch import Tensor

from ghostnote.bridge.inference.schedule import schedule


def t_to_alpha_sigma(t: Tensor) -> tuple[Tensor, Tensor]:
    """Return alpha = cos(πt/2) and sigma = sin(πt/2) (Salimans & Ho 2022)."""
    angle = t * (math.pi / 2)
    return angle.cos(), angle.sin()


def alpha_sigma_to_t(alpha: Tensor, sigma: Tensor) -> Tensor:
    """Return the t in [0, 1] with this alpha and sigma."""
    return torch.atan2(sigma, alpha) * (2 / math.pi)


def expand_dims(t: Tensor, like: Tensor) -> Tensor:
    """Return `t` (batch,) with trailing axes of one, to multiply `like` (batch, …)."""
    return t.reshape(-1, *(1,) * (like.ndim - 1))


def add_noise(x: Tensor, eps: Tensor, t: Tensor) -> Tensor:
    """Return z = alpha·x + sigma·eps for `t` (batch,)."""
    alpha, sigma = t_to_alpha_sigma(expand_dims(t, x))
    return alpha * x + sigma * eps


def to_v(x: Tensor, eps: Tensor, t: Tensor) -> Tensor:
    """Return v = alpha·eps − sigma·x, which the network predicts (Salimans & Ho 2022, appendix D)."""
    alpha, sigma = t_to_alpha_sigma(expand_dims(t, x))
    return alpha * eps - sigma * x


def from_v(z: Tensor, v: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sample x and the noise eps of which `z` and `v` are made."""
    alpha, sigma = t_to_alpha_sigma(expand_dims(t, z))
    return alpha * z - sigma * v, sigma * z + alpha * v


def linear_schedule(steps: int) -> Tensor:
    """Return `schedule`, the shipped model's, as a tensor: steps + 1 even times from 1 to 0; for 0 steps 1 alone."""
    return torch.from_numpy(schedule(steps))


def ddpm_schedule(steps: int, beta_start: float = 1e-4, beta_end: float = 0.02, length: int = 1000) -> Tensor:
    """Return steps + 1 times of DDPM's linear-β table of `length` noise levels (Ho et al. 2020), ending at 0."""
    alpha_bar = (1 - torch.linspace(beta_start, beta_end, length, dtype=torch.float64)).cumprod(0)
    picked = alpha_bar[torch.linspace(length - 1, 0, steps).round().long()]
    times = alpha_sigma_to_t(picked.sqrt(), (1 - picked).sqrt()).float()
    return torch.cat([times, times.new_zeros(1)])

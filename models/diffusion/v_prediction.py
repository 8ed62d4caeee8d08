"""The diffusion process: v-diffusion's cosine path and DDPM's linear-β table as one family of t.

A noisy sample is z = alpha·x + sigma·eps with alpha² + sigma² = 1, so it is a rotation by the angle πt/2 and
any variance-preserving schedule is a choice of times t in [0, 1].
"""

import math
from collections.abc import Callable
from typing import Final, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.bridge.inference.schedule import schedule

Prediction = Callable[[Tensor, Tensor], Tensor]
"""A network with its conditions bound: (z (batch, …), t (batch,)) to what it predicts (batch, …)."""
Target = Literal["v", "eps", "x"]
"""What a network can predict."""
_LEAST: Final = 1e-4


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


def as_velocity(network: Prediction, target: Target) -> Prediction:
    """Return the v that follows from what `network` predicts: v = (ε − sigma·z)/alpha = (alpha·z − x)/sigma.

    ε says nothing of v at time 1, where alpha is 0, nor x at time 0: there v is as if alpha or sigma were 1e-4.
    """
    if target == "v":
        return network

    def velocity(z: Tensor, t: Tensor) -> Tensor:
        alpha, sigma = t_to_alpha_sigma(expand_dims(t, z))
        predicted = network(z, t)
        if target == "eps":
            return (predicted - sigma * z) / alpha.clamp_min(_LEAST)
        return (alpha * z - predicted) / sigma.clamp_min(_LEAST)

    return velocity


def v_loss(network: Prediction, x: Tensor, generator: torch.Generator) -> Tensor:
    """Return the mean of |v − v̂(z, t)|² over times t even in [0, 1] and noise, ()."""
    t = torch.rand(len(x), generator=generator, device=x.device)
    eps = torch.randn(x.shape, generator=generator, device=x.device)
    return F.mse_loss(network(add_noise(x, eps, t), t), to_v(x, eps, t))


def linear_schedule(steps: int) -> Tensor:
    """Return `schedule`, the shipped model's, as a tensor: steps + 1 even times from 1 to 0; for 0 steps 1 alone."""
    return torch.from_numpy(schedule(steps))


def ddpm_times(beta_start: float = 1e-4, beta_end: float = 0.02, length: int = 1000) -> Tensor:
    """Return the times (length,) of the noise levels of DDPM's linear-β table (Ho et al. 2020), in 64 bits."""
    alpha_bar = (1 - torch.linspace(beta_start, beta_end, length, dtype=torch.float64)).cumprod(0)
    return alpha_sigma_to_t(alpha_bar.sqrt(), (1 - alpha_bar).sqrt())


def ddpm_schedule(steps: int, beta_start: float = 1e-4, beta_end: float = 0.02, length: int = 1000) -> Tensor:
    """Return steps + 1 of `ddpm_times`, evenly picked and falling, ending at 0."""
    picked = torch.linspace(length - 1, 0, steps).round().long()
    times = ddpm_times(beta_start, beta_end, length)[picked].float()
    return torch.cat([times, times.new_zeros(1)])

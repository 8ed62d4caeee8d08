"""Samplers as pure functions over a network's v."""

import math
from itertools import pairwise

import torch
from torch import Tensor

from ghostnote.models.diffusion.v_prediction import Prediction, t_to_alpha_sigma

Velocity = Prediction
"""A network that predicts v, with its conditions bound: (z (batch, …), t (batch,)) to v (batch, …)."""


def guided(conditional: Velocity, unconditional: Velocity, guidance: float) -> Velocity:
    """Return v pushed away from the unconditional one (classifier-free guidance, Ho & Salimans 2022)."""

    def velocity(z: Tensor, t: Tensor) -> Tensor:
        v = unconditional(z, t)
        return v + guidance * (conditional(z, t) - v)

    return velocity


def predict(z: Tensor, v: Tensor, t: Tensor, bound: float = float("inf")) -> Tensor:
    """Return the sample of which `z` and `v` at time `t` (1,) are made, within ±`bound`."""
    alpha, sigma = t_to_alpha_sigma(t)
    return (alpha * z - sigma * v).clamp(-bound, bound)


def inpaint(x: Tensor, given: Tensor, mask: Tensor) -> Tensor:
    """Return `x` with `given` where `mask` is 1."""
    return x + mask * (given - x)


def posterior(z: Tensor, x: Tensor, t: Tensor, s: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of z at time `s`, given z at time `t` (1,) and the sample `x`.

    The family of DDIM (Song, Meng & Ermon 2021, eq. 7): `eta` 0 has no deviation, and 1 is DDPM's posterior.
    """
    (alpha, sigma), (alpha_s, sigma_s) = t_to_alpha_sigma(t), t_to_alpha_sigma(s)
    eps = (z - alpha * x) / sigma
    if eta == 0:
        return alpha_s * x + sigma_s * eps, torch.zeros_like(sigma)
    fresh = eta * sigma_s / sigma * (1 - (alpha / alpha_s).square()).clamp_min(0).sqrt()
    return alpha_s * x + (sigma_s.square() - fresh.square()).clamp_min(0).sqrt() * eps, fresh


def ddim_step(z: Tensor, x: Tensor, t: Tensor, s: Tensor, eta: float = 0.0, noise: Tensor | None = None) -> Tensor:
    """Return z at time `s` from z at time `t` (1,) and the predicted sample `x` (Song, Meng & Ermon 2021).

    `eta` 0 is deterministic and 1 is DDPM's ancestral sampling (Ho et al. 2020), which needs fresh `noise`.
    """
    mean, deviation = posterior(z, x, t, s, 0.0 if noise is None else eta)
    return mean if noise is None else mean + deviation * noise


def ddim(
    velocity: Velocity,
    z: Tensor,
    schedule: Tensor,
    *,
    eta: float = 0.0,
    bound: float = float("inf"),
    generator: torch.Generator | None = None,
) -> Tensor:
    """Sample from `z` (batch, …) along the `schedule` (steps + 1,), with `ddim_step`'s `eta`."""
    for t, s in pairwise(schedule.split(1)):
        x = predict(z, velocity(z, t.expand(len(z))), t, bound)
        noise = torch.randn(z.shape, generator=generator, device=z.device) if eta else None
        z = ddim_step(z, x, t, s, eta, noise)
    return z


def euler_step(z: Tensor, v: Tensor, t: Tensor, s: Tensor) -> Tensor:
    """Return z at time `s` from z and v at time `t`, v taken as constant between them.

    As dz/dt is (π/2)·v, this is Euler's step. It is exact, in one step, where the data is normal with unit
    variance and independent of the conditioning; `ddim_step` is exact where the data is given.
    """
    return z - (t - s) * (math.pi / 2) * v

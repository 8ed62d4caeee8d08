"""DDPM: a chain of 1,000 small noisings with a linear β, and its reversal (Ho, Jain & Abbeel 2020).

Level n of the chain, counted from 0, is z_n = √(1 − β_n)·z_(n−1) + √β_n·ε. With ᾱ_n = Π_(i≤n) (1 − β_i) that makes

    q(z_n | x)          = N(√ᾱ_n·x, 1 − ᾱ_n)                                              (eq. 4)
    q(z_(n−1) | z_n, x) = N(√ᾱ_(n−1)·β_n/(1 − ᾱ_n)·x + √(1 − β_n)·(1 − ᾱ_(n−1))/(1 − ᾱ_n)·z_n,
                            β_n·(1 − ᾱ_(n−1))/(1 − ᾱ_n))                                  (eq. 6 and 7)

A network that is trained to find ε in z_n finds x, too, and the second line then leads back from z_n to z_(n−1). Each
level is a time t of `v_prediction`, with alpha = √ᾱ_n, so that every sampler and solver here takes the chain as well.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from ghostnote.models.diffusion.sampling import ddim, posterior
from ghostnote.models.diffusion.v_prediction import (
    Prediction,
    add_noise,
    as_velocity,
    ddpm_schedule,
    ddpm_times,
    expand_dims,
    t_to_alpha_sigma,
)


@dataclass(frozen=True)
class GaussianDiffusion:
    """The chain, over any network that predicts ε: (z (batch, …), t (batch,)) to ε (batch, …)."""

    length: int = 1000
    """Levels of noise."""
    beta_start: float = 1e-4
    beta_end: float = 0.02

    @cached_property
    def times(self) -> Tensor:
        """The time t of each level, (length,) in 64 bits, rising."""
        return ddpm_times(self.beta_start, self.beta_end, self.length)

    def marginal(self, x: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance of q(z_n | x) for samples `x` and levels `n` (batch,)."""
        alpha, sigma = t_to_alpha_sigma(expand_dims(self.times[n], x))
        return alpha * x, sigma.square()

    def posterior(self, z: Tensor, x: Tensor, n: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance of q(z_(n−1) | z_n, x) for levels `n` (batch,); below level 0 lies x itself."""
        below = torch.cat([self.times.new_zeros(1), self.times])[n]
        mean, deviation = posterior(z, x, expand_dims(self.times[n], z), expand_dims(below, z), eta=1.0)
        return mean, deviation.square()

    def loss(self, network: Prediction, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean of |ε − ε̂(z_n, n)|² over random levels (eq. 14: the bound without its weights), ()."""
        n = torch.randint(self.length, (len(x),), generator=generator, device=x.device)
        eps = torch.randn(x.shape, generator=generator, device=x.device)
        t = self.times.to(x.device)[n].to(x.dtype)
        return F.mse_loss(network(add_noise(x, eps, t), t), eps)

    def sample(
        self,
        network: Prediction,
        z: Tensor,
        steps: int | None = None,
        *,
        eta: float = 1.0,
        bound: float = float("inf"),
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return samples from noise `z` (batch, …), down all levels or evenly spaced `steps` of them.

        `eta` 1 is the ancestral sampling of the paper and 0 is DDIM (Song, Meng & Ermon 2021). Predicted samples are
        kept within ±`bound`.
        """
        schedule = ddpm_schedule(steps or self.length, self.beta_start, self.beta_end, self.length).to(z.device)
        return ddim(as_velocity(network, "eps"), z, schedule, eta=eta, bound=bound, generator=generator)
